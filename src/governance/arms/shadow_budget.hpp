// What copies of requests may still cost: a number per minute, tokens per day, so many at a time.
//
// One object per model and process, thread-safe without a lock; what it counts survives a reload, its limits are those
// of whoever asks. Minutes and days begin at whole minutes and at 00:00 UTC.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace sluice {

struct shadow_limits {
    std::int64_t requests_per_minute = 0, tokens_per_day = 0;
    std::int64_t concurrent = 0;
};

class shadow_budget {
public:
    using wall_time = std::chrono::system_clock::time_point;
    enum class answer : std::uint8_t { yes, requests, tokens, concurrent };  // else which limit says no

    // May another copy be sent now? After `yes` a done() is due.
    answer begin(const shadow_limits& limits, wall_time now);
    void done() { running_.fetch_sub(1, std::memory_order_relaxed); }
    void used(std::int64_t tokens, wall_time now);

private:
    // Counts in a window: its number in the high bits, the count in the low ones.
    std::atomic<std::uint64_t> minute_{0}, day_{0};
    std::atomic<std::int64_t> running_{0};
};

}  // namespace sluice
