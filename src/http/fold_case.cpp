#include "http/fold_case.hpp"

#include "base/ascii.hpp"

namespace sluice::http {

void fold_case(std::string_view name, std::string& out) {
    constexpr std::string_view long_s = "\u017f", kelvin = "\u212a";
    out.clear();
    while (!name.empty()) {
        if (name.starts_with(long_s)) {
            out += 's';
            name.remove_prefix(long_s.size());
        } else if (name.starts_with(kelvin)) {
            out += 'k';
            name.remove_prefix(kelvin.size());
        } else {
            out += ascii::lower(name.front());
            name.remove_prefix(1);
        }
    }
}

}  // namespace sluice::http
