// What the gateway itself has under way at an endpoint: exact and without delay, unlike anything polled.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace sluice::picker {

// A reading of the counters below, taken one by one: other threads may have moved on in between.
struct load_reading {
    std::int64_t inflight = 0;         // requests
    std::int64_t waiting = 0;          // of them, those without a first token
    std::int64_t prefill_tokens = 0;   // prompt tokens still to compute, of those without a first token
    std::int64_t context_tokens = 0;   // prompt and half the expected answer, of all
    std::int64_t computed_tokens = 0;  // prompt tokens computed since the start: a meter, not a load
    std::int64_t started_us = 0;       // when their answers began, summed over those that did: microseconds
};

// Counters of one endpoint, on a cache line of their own. Thread-safe.
//
// Whoever has chosen an endpoint reserves first and looks afterwards: reserve() tells what was there just before,
// and when that is far more than what the choice was based on, several threads have chosen the same endpoint at the
// same moment, and the later ones choose again (endpoint_picker::dispatch).
class alignas(64) endpoint_load {
public:
    load_reading read() const {
        // What is given back in another order than it was taken may show a moment's negative number.
        const auto at_least_0 = [](const std::atomic<std::int64_t>& n) {
            return std::max<std::int64_t>(0, n.load(std::memory_order_relaxed));
        };
        return {at_least_0(inflight_),
                at_least_0(waiting_),
                at_least_0(prefill_tokens_),
                at_least_0(context_tokens_),
                computed_tokens_.load(std::memory_order_relaxed),
                started_us_.load(std::memory_order_relaxed)};
    }

    // A request goes there; returns the load before it.
    load_reading reserve(std::int64_t prefill, std::int64_t context) {
        constexpr auto relaxed = std::memory_order_relaxed;
        return {inflight_.fetch_add(1, relaxed),
                waiting_.fetch_add(1, relaxed),
                prefill_tokens_.fetch_add(prefill, relaxed),
                context_tokens_.fetch_add(context, relaxed),
                computed_tokens_.load(relaxed),
                started_us_.load(relaxed)};
    }
    // Its first token came: its prompt is computed. The moment is on a clock that all callers share.
    void first_token(std::int64_t prefill, std::int64_t now_us) {
        waiting_.fetch_sub(1, std::memory_order_relaxed);
        prefill_tokens_.fetch_sub(prefill, std::memory_order_relaxed);
        computed_tokens_.fetch_add(prefill, std::memory_order_relaxed);
        started_us_.fetch_add(now_us, std::memory_order_relaxed);
    }
    // It ended, after first_token(), which was told the same moment.
    void release(std::int64_t context, std::int64_t started_us) {
        inflight_.fetch_sub(1, std::memory_order_relaxed);
        context_tokens_.fetch_sub(context, std::memory_order_relaxed);
        started_us_.fetch_sub(started_us, std::memory_order_relaxed);
    }
    // Nothing is under way any more. Not while others count.
    void clear() { inflight_ = waiting_ = prefill_tokens_ = context_tokens_ = started_us_ = 0; }

private:
    std::atomic<std::int64_t> inflight_{0}, waiting_{0}, prefill_tokens_{0}, context_tokens_{0}, computed_tokens_{0},
        started_us_{0};
};

}  // namespace sluice::picker
