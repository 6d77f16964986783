// What happens to a request after the choice, and what is learned from it.
#include "routing/picker/endpoint_picker.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::picker {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;

std::int64_t microseconds(steady_time t) {
    return std::chrono::duration_cast<std::chrono::microseconds>(t.time_since_epoch()).count();
}

}  // namespace

ticket endpoint_picker::dispatch(pick_result& choice, const request_features& f, const pool_snapshot& pool,
                                 steady_time now) {
    // More prompt tokens than this, come between pick and now, and the choice may be another.
    constexpr std::int64_t grown_tokens = 1'024;
    ticket t = dispatch_to(choice.best[0], choice, f, now);
    const auto before = static_cast<std::int64_t>(t.prefill_ahead) - t.prefill;
    if (before - choice.best[0].prefill_seen <= std::max(grown_tokens, t.prefill)) return t;
    slots_[t.slot].load.first_token(t.prefill, 0);
    slots_[t.slot].load.release(t.context, 0);
    const candidate_endpoint first = choice.best[0];
    pick_result again = pick(f, pool, now);
    if (again.count == 0) {
        return dispatch_to(first, choice, f, now);
    }
    choice = again;
    return dispatch_to(choice.best[0], choice, f, now);
}

ticket endpoint_picker::dispatch_to(const candidate_endpoint& to, const pick_result& choice, const request_features& f,
                                    steady_time now) {
    slot_state& s = slots_[to.slot];
    ticket t;
    t.slot = to.slot;
    t.generation = s.generation.load(relaxed);
    t.prefill = static_cast<std::int64_t>(std::max(1.0, choice.prompt_tokens - to.cached_tokens));
    t.context = static_cast<std::int64_t>(choice.prompt_tokens + choice.output_tokens / 2);
    t.cached_tokens = to.cached_tokens;
    t.matched_blocks = to.matched_blocks;
    t.sent = now;
    const load_reading before = s.load.reserve(t.prefill, t.context);
    t.prefill_ahead = static_cast<double>(before.prefill_tokens + t.prefill);
    t.sequences = static_cast<double>(before.inflight);
    t.context_ahead = static_cast<double>(before.context_tokens);
    t.queued = before.waiting > 2 || s.kv_use.load(relaxed) > options_.weights.kv_full - 0.1;
    index_.insert(to.slot, f.blocks);
    return t;
}

void endpoint_picker::on_first_token(ticket& t, steady_time now) {
    slot_state& s = slots_[t.slot];
    if (t.started || s.generation.load(relaxed) != t.generation) return;
    t.started = true;
    t.first_token = now;
    on_prompt_computed(t, now);
    if (!t.queued) s.rates.saw_first_token(t.prefill_ahead, t.sequences, t.context_ahead, seconds_between(t.sent, now));
    const load_reading here = s.load.read();
    t.sequences = static_cast<double>(here.inflight - here.waiting);
    t.context_ahead = static_cast<double>(here.context_tokens);
    t.computed = here.computed_tokens;
}

void endpoint_picker::on_prompt_computed(ticket& t, steady_time now) {
    slot_state& s = slots_[t.slot];
    if (!t.prefilling || s.generation.load(relaxed) != t.generation) return;
    t.prefilling = false;
    t.started_us = microseconds(now);
    s.load.first_token(t.prefill, t.started_us);
}

bool endpoint_picker::on_done(ticket& t, const request_features& f, const finished_usage& usage, steady_time now) {
    slot_state& s = slots_[t.slot];
    if (s.generation.load(relaxed) != t.generation) return false;
    const load_reading here = s.load.read();
    on_prompt_computed(t, now);
    s.load.release(t.context, t.started_us);
    models_.saw(f.model, f.prompt_bytes, usage.prompt_tokens, usage.output_tokens);
    // What decoded beside it: in between what did when it began and when it ended.
    if (t.started && usage.output_tokens > 8) {
        const double stalled = static_cast<double>(here.computed_tokens - t.computed) * s.rates.get().cp_s;
        s.rates.saw_decode(
            (t.sequences + static_cast<double>(here.inflight - here.waiting)) / 2,
            (t.context_ahead + static_cast<double>(here.context_tokens)) / 2,
            (seconds_between(t.first_token, now) - stalled) / static_cast<double>(usage.output_tokens - 1));
    }
    return correct(t, f, usage);
}

// The index guessed what the endpoint kept; the answer's usage says what it did keep.
//
// The prompt itself needs no correction: the endpoint has computed it by now, so it keeps it. What the difference
// tells is how far the guesses for other prompts can be trusted there: it evicts earlier than we think, does not cache
// at all, or was restarted. So expectations are scaled by what came true of the recent ones; and when several answers
// in a row found nothing where much was expected, all that was known of the endpoint is dropped.
bool endpoint_picker::correct(const ticket& t, const request_features& f, const finished_usage& usage) {
    constexpr double expected_min = 256;  // tokens: below it rounding to the engine's blocks decides
    constexpr double share = 0.1;
    constexpr int misses_max = 3;
    if (usage.cached_tokens < 0 || t.cached_tokens < expected_min) return false;
    slot_state& s = slots_[t.slot];
    const double untrusted = t.cached_tokens / s.trust.load(relaxed);
    const double kept = std::min(1.0, static_cast<double>(usage.cached_tokens) / untrusted);
    s.trust.store(std::max(0.05, s.trust.load(relaxed) * (1 - share) + kept * share), relaxed);
    if (usage.cached_tokens > 0) {
        s.misses.store(0, relaxed);
        return false;
    }
    if (s.misses.fetch_add(1, relaxed) + 1 < misses_max) return false;
    on_restart(t.slot);
    index_.insert(t.slot, f.blocks);
    return true;
}

void endpoint_picker::on_failed(ticket& t, const request_features& f, steady_time now) {
    slot_state& s = slots_[t.slot];
    if (s.generation.load(relaxed) != t.generation) return;
    on_prompt_computed(t, now);
    if (!t.started) index_.truncate(t.slot, f.blocks, t.matched_blocks);
    s.load.release(t.context, t.started_us);
}

void endpoint_picker::on_metrics(std::uint32_t slot, const polled_metrics& m, steady_time now) {
    slot_state& s = slots_[slot];
    if (m.kv_use >= 0) s.kv_use.store(m.kv_use, relaxed);
    if (m.running >= 0) {
        // The report is of another moment than our counters; over several polls the differences cancel.
        constexpr double share = 0.2;
        const auto ours = static_cast<double>(s.load.read().inflight);
        const double others = static_cast<double>(m.running + std::max<std::int64_t>(0, m.waiting)) - ours;
        s.foreign.store(s.foreign.load(relaxed) * (1 - share) + others * share, relaxed);
    }
    s.polled_at.store(now.time_since_epoch().count(), relaxed);
}

void endpoint_picker::on_restart(std::uint32_t slot) {
    index_.wipe(slot);
    slots_[slot].misses.store(0, relaxed);
    slots_[slot].trust.store(1, relaxed);
}

void endpoint_picker::reset(std::uint32_t slot, const step_rates& prior) {
    slot_state& s = slots_[slot];
    s.generation.fetch_add(1, relaxed);
    s.load.clear();
    s.rates.reset(prior);
    s.name.store(0, relaxed);
    s.kv_use.store(-1, relaxed);
    s.foreign.store(0, relaxed);
    s.polled_at.store(0, relaxed);
    on_restart(slot);
}

void endpoint_picker::set_kv_capacity(std::uint32_t slot, std::int64_t tokens, std::uint64_t model) {
    // What is forgotten too early costs a hit every time; what is remembered too long is found out by correct(). And
    // the endpoint's own order of forgetting is not quite ours. So it is taken to keep twice what it has room for.
    constexpr double benefit_of_doubt = 2;
    const double bytes = static_cast<double>(std::max<std::int64_t>(0, tokens)) * models_.get(model).bytes_per_token;
    index_.set_capacity(slot, static_cast<std::uint64_t>(benefit_of_doubt * bytes));
}

}  // namespace sluice::picker
