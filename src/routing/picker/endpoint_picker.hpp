// The endpoint picker of one pool: which of its model servers should get a request.
//
//   auto choice = picker.pick(features, *snapshot, now);
//   if (choice.refused != refusal::none) ...;                       // answer 503 or 429
//   ticket t = picker.dispatch(choice, features, *snapshot, now);   // t.slot gets it; send
//   picker.on_first_token(t, now);                                  // the first byte of the answer came
//   picker.on_done(t, features, {.prompt_tokens = ..., .cached_tokens = ..., .output_tokens = ...}, now);
//   // or on_failed(t, features, now), then dispatch_next(...) for the next in the list
//
// No I/O, no clock, no thread of its own: the gateway and a simulation call the same code. Every function may be called
// from any thread unless it says otherwise; nothing blocks. With one thread all is a function of the calls and the
// seed.
#pragma once

#include "routing/picker/cost.hpp"
#include "routing/picker/pool_snapshot.hpp"
#include "routing/picker/prefix_index.hpp"

#include <array>
#include <bitset>
#include <memory>
#include <string_view>

namespace sluice::picker {

using slot_set = std::bitset<endpoints_max>;

struct picker_options {
    prefix_index_options index = {};
    step_rates rates = {};  // priors of all endpoints
    cost_weights weights = {};
    double stale_after_s = 3;  // older polled metrics are not looked at: own counters are better then
    std::uint64_t seed = 1;    // of ties between endpoints; the same in gateways that should agree
};

// Why there is no endpoint.
enum class refusal : std::uint8_t {
    none,
    no_endpoint,  // the pool is empty, or all are draining, not ready or excluded
    capability,   // none can do this
    adapter,      // none has the adapter
    context,      // prompt and answer are too long for all
    busy,         // all have as many requests as they may have
    ttft_slo,     // none would begin its answer in time, and the request may be shed
    tpot_slo,     // none would be fast enough then, likewise
};
std::string_view to_string(refusal r);

struct candidate_endpoint {
    std::uint32_t at = 0;  // index in snapshot.endpoints
    std::uint32_t slot = 0;
    std::uint16_t matched_blocks = 0;
    double cached_tokens = 0;  // probably kept there
    forecast expected = {};
    std::int64_t prefill_seen = 0;  // the load that the forecast was made from
};

struct pick_result {
    static constexpr std::size_t choices_max = 3;
    std::array<candidate_endpoint, choices_max> best;  // the first `count`, best first; the others are for retries
    std::size_t count = 0;
    refusal refused = refusal::none;              // none exactly when count > 0
    double retry_after_s = 0;                     // with busy, ttft_slo, tpot_slo: when it may be worth asking again
    bool slo_kept = true;                         // does the first one keep the request's promises?
    double prompt_tokens = 0, output_tokens = 0;  // estimates of the request
};

// A request under way. Kept by the caller until on_done or on_failed, one of which must be called, once.
struct ticket {
    std::uint32_t slot = 0;
    std::int64_t prefill = 0, context = 0;  // reserved in the endpoint's counters
    double cached_tokens = 0;               // expected
    std::uint16_t matched_blocks = 0;
    double prefill_ahead = 0;  // prompt tokens to compute until the first token, own included
    double sequences = 0, context_ahead = 0;
    std::int64_t computed = 0;  // the endpoint's meter at the first token
    bool queued = false;        // it may have waited for more than its prompt and those ahead
    steady_time sent{}, first_token{};
    bool started = false;
    bool prefilling = true;        // `prefill` is still in the endpoint's counters
    std::int64_t started_us = 0;   // in the endpoint's counters once it no longer is
    std::uint32_t generation = 0;  // of the slot
};

// What the answer's usage said; negative: it did not say.
struct finished_usage {
    std::int64_t prompt_tokens = -1, cached_tokens = -1, output_tokens = -1;
};

class endpoint_picker {
public:
    explicit endpoint_picker(const picker_options& o);

    // The best endpoints for a request. `excluded` holds slots that were tried or are not wanted.
    pick_result pick(const request_features& f, const pool_snapshot& pool, steady_time now,
                     const slot_set& excluded = {}) const;

    // Takes the first of the list: counts the request there and notes that the endpoint will keep its prompt. When
    // other threads have filled that endpoint since pick(), picks once more; `choice` then holds the new list.
    // choice.count > 0.
    ticket dispatch(pick_result& choice, const request_features& f, const pool_snapshot& pool, steady_time now);
    // The same for a given one of the list, without a second look: retries.
    ticket dispatch_to(const candidate_endpoint& to, const pick_result& choice, const request_features& f,
                       steady_time now);

    void on_first_token(ticket& t, steady_time now);
    // By all that is expected its prompt is computed by now. For answers that come whole, whose first token nobody
    // sees: nothing is learned from it, but their prompts do not count as work ahead until they end.
    void on_prompt_computed(ticket& t, steady_time now);
    // Learns from what came out: rates, token counts, and what the endpoint really kept of the prompt. True: the
    // endpoint was found to have lost all it kept, as after a restart.
    bool on_done(ticket& t, const request_features& f, const finished_usage& usage, steady_time now);
    // It broke, or was refused. Before a first token the endpoint is taken not to have the prompt's new blocks.
    void on_failed(ticket& t, const request_features& f, steady_time now);

    void on_metrics(std::uint32_t slot, const polled_metrics& m, steady_time now);
    // The endpoint's memory is empty: it was restarted.
    void on_restart(std::uint32_t slot);
    // The slot gets another endpoint. What is still under way there does not count any more.
    void reset(std::uint32_t slot, const step_rates& prior);
    // How many tokens of attention state it has room for: bounds what the index believes of it.
    void set_kv_capacity(std::uint32_t slot, std::int64_t tokens, std::uint64_t model);

    const prefix_index& index() const { return index_; }
    load_reading load(std::uint32_t slot) const { return slots_[slot].load.read(); }
    step_rates rates(std::uint32_t slot) const { return slots_[slot].rates.get(); }
    model_statistics::reading model(std::uint64_t model) const { return models_.get(model); }

private:
    // What one endpoint offers, before the best are chosen.
    struct offer {
        std::uint32_t at;
        double cached_tokens;
        double rank;  // the cost; behind those that keep the promises come those that do not, by how much
        forecast expected;
        std::int64_t prefill_seen;
    };
    // Beside it, what decides whether prompts that come back should make their home there.
    // Nothing in it is initialised: there is room for many, and most of it stays unused.
    struct keeping {
        double step, per_sequence, per_context;  // how full it is, times the parts of a step
        double inflight, context_tokens;
        double new_part;  // of the request's prompt: it would be kept from now on
    };
    // What every pick reads of an endpoint comes first, on three cache lines.
    struct alignas(64) slot_state {
        endpoint_load load;
        std::atomic<double> kv_use{-1};
        std::atomic<double> foreign{0};              // requests of others, as far as polls tell
        std::atomic<std::int64_t> polled_at{0};      // ticks; 0: never
        std::atomic<double> trust{1};                // of what the index expects there, how much was there
        mutable std::atomic<std::uint64_t> name{0};  // name_hash of the endpoint's id; 0: not yet asked for
        std::atomic<int> misses{0};                  // answers in a row that found nothing of a prompt expected there
        std::atomic<std::uint32_t> generation{0};
        learned_rates rates;
    };
    endpoint_view view_of(const pool_endpoint& e, const request_features& f, steady_time now) const;
    void price_homes(std::span<offer> offers, std::span<const keeping> kept) const;
    bool warming_up(const pool_endpoint& e, const pool_snapshot& pool) const;
    refusal unfit(const pool_endpoint& e, const request_features& f, double tokens) const;
    std::uint64_t tie_key(const request_features& f) const;
    std::uint64_t name_of(const pool_endpoint& e) const;
    void choose(std::span<offer> offers, const request_features& f, const pool_snapshot& pool, pick_result& out) const;
    bool correct(const ticket& t, const request_features& f, const finished_usage& usage);

    const picker_options options_;
    prefix_index index_;
    model_statistics models_;
    std::vector<slot_state> slots_;                // as many as the index has; never resized
    mutable std::atomic<std::uint64_t> picks_{0};  // stirs the ties of requests that have no key
};

}  // namespace sluice::picker
