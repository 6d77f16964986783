#include <sluice/metrics.hpp>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace sluice {
namespace {

// Up to here one pass of comparisons without a branch beats a binary search (all our sets are smaller).
constexpr std::size_t linear_max = 32;

// The buckets of several workers may be neighbours on the heap: a cache line at the end that nobody
// touches keeps one worker's writes away from the next one's line.
constexpr std::size_t padding = 64 / sizeof(counter);

}  // namespace

histogram::histogram(std::span<const double> upper_bounds)
    : bounds_(upper_bounds.begin(), upper_bounds.end()), buckets_(upper_bounds.size() + 1 + padding) {
    const bool finite = std::all_of(bounds_.begin(), bounds_.end(), [](double b) { return std::isfinite(b); });
    const bool ascending = std::adjacent_find(bounds_.begin(), bounds_.end(), std::greater_equal<>{}) == bounds_.end();
    if (bounds_.empty() || !finite || !ascending) {
        throw std::invalid_argument("the bounds of a histogram must be finite and ascending");
    }
}

void histogram::observe(double v) {
    if (std::isnan(v)) return;  // it would turn the sum into NaN for good
    std::size_t at = 0;
    if (bounds_.size() <= linear_max) {
        for (const double bound : bounds_) at += v > bound ? 1 : 0;
    } else {
        at = static_cast<std::size_t>(std::lower_bound(bounds_.begin(), bounds_.end(), v) - bounds_.begin());
    }
    buckets_[at].add();
    sum_.store(sum_.load(std::memory_order_relaxed) + v, std::memory_order_relaxed);
}

}  // namespace sluice
