// Whether a helper (a picker, a callout) is worth asking at all: it is left alone after several failures in a row, and
// tried again after a pause that grows. Thread-safe.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace sluice::routing {

class circuit_breaker {
public:
    using time_point = std::chrono::steady_clock::time_point;
    static constexpr int failures_max = 5;  // in a row
    static constexpr std::chrono::milliseconds first_pause{1'000}, longest_pause{30'000};

    // May it be asked? After the pause one caller at a time is let through, whose outcome decides.
    bool allow(time_point now) {
        std::int64_t until = until_.load(std::memory_order_relaxed);
        if (until == 0) return true;
        if (now.time_since_epoch().count() < until) return false;
        // The trial may be lost (its caller went away): the next one comes a pause later.
        const std::int64_t next =
            (now + std::chrono::milliseconds(pause_ms_.load(std::memory_order_relaxed))).time_since_epoch().count();
        return until_.compare_exchange_strong(until, next, std::memory_order_relaxed);
    }
    void succeeded() {
        if (failures_.load(std::memory_order_relaxed) == 0) return;
        failures_.store(0, std::memory_order_relaxed);
        pause_ms_.store(0, std::memory_order_relaxed);
        until_.store(0, std::memory_order_relaxed);
    }
    void failed(time_point now) {
        if (failures_.fetch_add(1, std::memory_order_relaxed) + 1 < failures_max) return;
        const std::int64_t pause = std::clamp<std::int64_t>(pause_ms_.load(std::memory_order_relaxed) * 2,
                                                            first_pause.count(), longest_pause.count());
        pause_ms_.store(pause, std::memory_order_relaxed);
        until_.store((now + std::chrono::milliseconds(pause)).time_since_epoch().count(), std::memory_order_relaxed);
    }
    bool open(time_point now) const { return now.time_since_epoch().count() < until_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::int64_t> until_{0};  // ticks; 0: closed
    std::atomic<std::int64_t> pause_ms_{0};
    std::atomic<int> failures_{0};
};

}  // namespace sluice::routing
