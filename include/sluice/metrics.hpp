// Counters, gauges and histograms of one worker.
//
// A handle is resolved once, when a stage is built, and lives as long as the process. Updating it is a
// plain add on memory that only this worker writes; the scrape sums the workers. Label values come from
// configuration only: a client cannot mint series.
#pragma once

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

// Only the owning worker writes; any thread may read.
class counter {
public:
    void add(std::int64_t n = 1) {
        value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::int64_t> value_{0};
};

// A level that goes up and down; the scrape shows the sum over the workers.
class gauge {
public:
    void add(std::int64_t n) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
    void set(std::int64_t n) { value_.store(n, std::memory_order_relaxed); }
    std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::int64_t> value_{0};
};

class histogram {
public:
    explicit histogram(std::span<const double> upper_bounds);
    void observe(double v);

    std::span<const double> bounds() const { return bounds_; }
    std::int64_t bucket(std::size_t i) const { return buckets_[i].value(); }  // i == bounds().size(): +Inf
    double sum() const { return sum_.load(std::memory_order_relaxed); }

private:
    std::vector<double> bounds_;  // ascending
    std::vector<counter> buckets_;
    std::atomic<double> sum_{0};
};

using label = std::pair<std::string_view, std::string_view>;
using labels = std::initializer_list<label>;

// The metrics of one worker. The same name and labels give the same handle. Thread-safe, but takes a
// lock: resolve at construction, never per request.
class metrics {
public:
    virtual counter& get_counter(std::string_view name, std::string_view help, labels l = {}) = 0;
    virtual gauge& get_gauge(std::string_view name, std::string_view help, labels l = {}) = 0;
    virtual histogram& get_histogram(std::string_view name, std::string_view help, std::span<const double> upper_bounds,
                                     labels l = {}) = 0;

protected:
    ~metrics() = default;
};

}  // namespace sluice
