#include "samples.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::bench {

double samples::percentile_us(double share) {
    if (values_.empty()) return 0;
    // Nearest rank: the smallest value that at least `share` of all values do not exceed.
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values_.size())));
    const auto nth = values_.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(rank, 1) - 1);
    std::nth_element(values_.begin(), nth, values_.end());
    return static_cast<double>(*nth) / 1000.0;
}

}  // namespace sluice::bench
