// What the process has learned about its upstreams: which credentials are limited, which addresses are broken,
// how much is being retried. Survives reloads; shared by all workers without a lock.
//
// Passive outlier ejection follows Envoy's defaults: 5 consecutive failures, 30 s times the number of ejections. When
// every address is left out, all are used: which of them work is then unknown, and refusing everybody would be worse.
// The retry budget is Finagle's: a share of the calls.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace sluice::routing {

using steady_time = std::chrono::steady_clock::time_point;

inline std::int64_t ticks(steady_time t) {
    return t.time_since_epoch().count();
}

// One credential at one provider.
class alignas(64) credential_state {
public:
    bool available(steady_time now) const { return ticks(now) >= until_.load(std::memory_order_relaxed); }
    // When it will be available again; in the past when it is.
    std::int64_t until() const { return until_.load(std::memory_order_relaxed); }
    void cool_down(steady_time now, std::chrono::milliseconds d) {
        const std::int64_t until = ticks(now + d);
        std::int64_t old = until_.load(std::memory_order_relaxed);
        while (old < until && !until_.compare_exchange_weak(old, until, std::memory_order_relaxed)) {
        }
    }

private:
    std::atomic<std::int64_t> until_{0};
};

// One address of one provider.
class alignas(64) endpoint_state {
public:
    static constexpr int failures_max = 5;
    static constexpr std::chrono::seconds base_ejection{30};
    static constexpr std::chrono::seconds longest_ejection{300};

    bool available(steady_time now) const { return ticks(now) >= until_.load(std::memory_order_relaxed); }
    // When it will be available again; in the past when it is.
    steady_time until() const { return steady_time(steady_time::duration(until_.load(std::memory_order_relaxed))); }
    void succeeded() {
        if (failures_.load(std::memory_order_relaxed) != 0) failures_.store(0, std::memory_order_relaxed);
        if (ejections_.load(std::memory_order_relaxed) != 0) ejections_.store(0, std::memory_order_relaxed);
    }
    // It was down, and is well again: what was held against it is forgotten.
    void recovered() {
        until_.store(0, std::memory_order_relaxed);
        failures_.store(0, std::memory_order_relaxed);
        ejections_.store(0, std::memory_order_relaxed);
    }
    // True: this failure ejected it. After its time one failure is enough to eject it again, for longer. Failures
    // while it is left out are of calls that began before, and say nothing new.
    bool failed(steady_time now) {
        std::int64_t until = until_.load(std::memory_order_relaxed);
        if (ticks(now) < until) return false;
        const int before = ejections_.load(std::memory_order_relaxed);
        if (failures_.fetch_add(1, std::memory_order_relaxed) + 1 < (before > 0 ? 1 : failures_max)) return false;
        const auto time = std::min<std::chrono::seconds>(longest_ejection, base_ejection * (std::int64_t{before} + 1));
        // Of several workers whose failures came together one ejects it.
        if (!until_.compare_exchange_strong(until, ticks(now + time), std::memory_order_relaxed)) return false;
        failures_.store(0, std::memory_order_relaxed);
        ejections_.fetch_add(1, std::memory_order_relaxed);
        return true;
    }

private:
    std::atomic<std::int64_t> until_{0};
    std::atomic<int> failures_{0};
    std::atomic<int> ejections_{0};
};

// How many retries a provider may get: each call earns a fifth of one, and some are there from the start. So an
// upstream that fails everything sees at most 1.2 times its calls and `reserve` more, at any concurrency.
class alignas(64) retry_budget {
public:
    static constexpr std::int64_t reserve = 10;

    void called() {
        std::int64_t old = fifths_.load(std::memory_order_relaxed);
        while (old < reserve * 5 && !fifths_.compare_exchange_weak(old, old + 1, std::memory_order_relaxed)) {
        }
    }
    // May there be one more retry now? If so it is spent.
    bool take() {
        std::int64_t old = fifths_.load(std::memory_order_relaxed);
        while (old >= 5) {
            if (fifths_.compare_exchange_weak(old, old - 5, std::memory_order_relaxed)) return true;
        }
        return false;
    }

private:
    std::atomic<std::int64_t> fifths_{reserve * 5};
};

}  // namespace sluice::routing
