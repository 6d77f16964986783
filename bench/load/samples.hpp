// Every measured duration of one run, kept exactly: runs are short, and percentiles of percentiles lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::bench {

class samples {
public:
    samples() { values_.reserve(1 << 20); }

    void add(std::int64_t ns) { values_.push_back(ns); }
    std::size_t count() const { return values_.size(); }

    // In microseconds, 0 when there are none. `share` is 0.5 for the median, 1 for the largest.
    double percentile_us(double share);

private:
    std::vector<std::int64_t> values_;
};

}  // namespace sluice::bench
