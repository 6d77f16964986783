#include "base/nearest.hpp"

#include <algorithm>
#include <array>

namespace sluice {
namespace {

constexpr std::size_t name_bytes_max = 128;

constexpr char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

}  // namespace

std::size_t nearest_limit(std::string_view name) {
    if (name.empty() || name.size() > name_bytes_max) return 0;
    return std::clamp<std::size_t>(name.size() / 3, 1, 4);
}

std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
    const std::size_t longer = std::max(a.size(), b.size());
    if (longer - std::min(a.size(), b.size()) > limit || longer > name_bytes_max) return limit + 1;
    // Three rows of the usual table: a swap looks two rows back.
    using row = std::array<std::size_t, name_bytes_max + 1>;
    row before{}, above{}, here{};
    for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        here[0] = i;
        std::size_t least = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const bool same = lower(a[i - 1]) == lower(b[j - 1]);
            here[j] = std::min({above[j] + 1, here[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1])) {
                here[j] = std::min(here[j], before[j - 2] + 1);
            }
            least = std::min(least, here[j]);
        }
        if (least > limit) return limit + 1;
        before = above;
        above = here;
    }
    return std::min(above[b.size()], limit + 1);
}

}  // namespace sluice
