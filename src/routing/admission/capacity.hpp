// How many requests an endpoint can have under way before those who come wait for their first token: learned.
//
// A model server takes whatever it is sent; past the knee of its curve more requests give no more tokens, only longer
// waiting. The limit climbs to the knee and stays about there by additive increase, multiplicative decrease: the one
// rule under which several gateways in front of the same endpoint come to equal shares without a word to each other
// (Chiu and Jain, "Analysis of the Increase and Decrease Algorithms", 1989); AIMDLimit of Netflix' concurrency-limits
// is the same rule. That library's Gradient2 was not taken: it compares latency with its own long-term mean, and a
// lasting overload becomes that mean.
//
// What is compared is the slowdown: time to first token over what the same prompt would take on an idle endpoint by the
// learned rates (rates.hpp). A prompt of 100k tokens is slow everywhere and says nothing about load. Of each window
// `window_samples` answers the mean slowdown counts:
//   above the knee        limit = max(floor, decrease * limit); from twice the knee on two such steps
//   below, and the limit was reached meanwhile, so that it may be what holds us back
//                         limit = min(max, limit + increase)
// A limit that nothing pushes against does not grow: it would say nothing when the load comes.
#pragma once

#include "routing/picker/rates.hpp"

#include <atomic>
#include <cstdint>
#include <span>

namespace sluice::admission {

struct capacity_options {
    std::int64_t floor = 4;  // never below
    std::int64_t initial = 32;
    std::int64_t max = 256;  // never above: sequences that the engine runs at once
    double knee = 5;         // slowdown that is still good
    double decrease = 0.85;
    double increase = 2;
    int window_samples = 32;
    bool operator==(const capacity_options&) const = default;
};

// One endpoint. Thread-safe without locks: anybody reads; a sample that finds another one being taken in is dropped.
class learned_capacity {
public:
    explicit learned_capacity(const capacity_options& o);

    // Requests that may be under way; to be put into the pool's snapshot as concurrency_max.
    std::int64_t limit() const { return limit_.load(std::memory_order_relaxed); }

    // A first token came after `ttft_s`, where `alone_s` would have been the time on an idle endpoint; when the request
    // was sent `inflight` were under way, itself included.
    void saw_first_token(double ttft_s, double alone_s, std::int64_t inflight);
    // The endpoint refused it for load (429, 503), or no first token came in time. Counts as a window of its own, once
    // until the next full one: a burst of refusals is one message.
    void saw_overload();
    // Another endpoint took the place.
    void reset();

private:
    void end_window(double slowdown);

    const capacity_options options_;
    std::atomic<std::int64_t> limit_{0};
    std::atomic_flag learning_ = ATOMIC_FLAG_INIT;
    // Guarded by learning_.
    double exact_ = 0;  // the limit, with its fraction
    double slowdowns_ = 0;
    std::int64_t samples_ = 0;
    bool reached_ = false;     // the limit, in this window
    bool overloaded_ = false;  // already told, in this window
};

// What a prompt would take on an idle endpoint: `alone_s` of the above. `prompt_tokens` without those it keeps already.
double idle_ttft_s(const picker::step_rates& rates, double prompt_tokens);

// How full a pool is: 0 idle, 1 at its limit, above when limits shrank under what was under way. An endpoint without a
// limit (0) is never full and counts not at all; a pool of no endpoints is full.
struct endpoint_fill {
    std::int64_t inflight = 0, limit = 0;
};
double saturation(std::span<const endpoint_fill> endpoints);

}  // namespace sluice::admission
