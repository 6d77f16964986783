#include "routing/clusters/hop_guard.hpp"

#include <charconv>
#include <string>

namespace sluice::clusters {

result<int> take_hops(header_list& headers) {
    const auto said = headers.find(hops_header);
    if (!said) return 0;
    int n = -1;
    const auto [end, failed] = std::from_chars(said->data(), said->data() + said->size(), n);
    const bool good = failed == std::errc{} && end == said->data() + said->size() && n >= 0 && n <= hops_most &&
                      headers.count(hops_header) == 1;
    headers.remove(hops_header);
    if (!good) return error{error_kind::bad_request, "a number of hops up to 15 is expected", std::string(hops_header)};
    return n;
}

}  // namespace sluice::clusters
