// Random numbers that are the same on every platform and library: all a run does follows from its seed.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace sluice::picker_bench {

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every bit of the input reaches every bit of the output.
inline std::uint64_t stirred(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

// The name of a block: of its own content and of all before it.
inline std::uint64_t chained(std::uint64_t before, std::uint64_t content) {
    return stirred(before ^ stirred(content));
}

class random_numbers {
public:
    explicit random_numbers(std::uint64_t seed) : state_(stirred(seed)) {}

    std::uint64_t next() { return stirred(state_++); }
    double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }  // 0 <= x < 1
    std::uint64_t below(std::uint64_t n) { return static_cast<std::uint64_t>(unit() * static_cast<double>(n)); }
    double exponential(double mean) { return -mean * std::log1p(-unit()); }
    // Uniform within +-part of the mean.
    std::uint32_t around(std::uint32_t mean, double part) {
        return static_cast<std::uint32_t>(std::lround(mean * (1 - part + 2 * part * unit())));
    }

private:
    std::uint64_t state_;
};

// Draws 0..n-1 with probability proportional to 1 / (i + 1)^exponent.
class zipf {
public:
    zipf(std::size_t n, double exponent) : below_(n) {
        double sum = 0;
        for (std::size_t i = 0; i < n; ++i) below_[i] = sum += std::pow(static_cast<double>(i + 1), -exponent);
    }
    std::size_t draw(random_numbers& random) const {
        const double x = random.unit() * below_.back();
        std::size_t i = 0;
        while (i + 1 < below_.size() && below_[i] <= x) ++i;
        return i;
    }

private:
    std::vector<double> below_;
};

}  // namespace sluice::picker_bench
