#include "routing/picker/cost.hpp"

#include <algorithm>

namespace sluice::picker {
namespace {

// How many tokens the answers under way, and this one, will need room for before the first of them ends. They began
// at different times: the oldest is twice as old as they are on average. The load they met on the way grew to what it
// is now, so they saw half of it. Counters that were read while they changed may tell of a negative age.
double growth_tokens(const request_view& r, const endpoint_view& e, double others_s) {
    if (e.age_s < 0) return 0;
    const double oldest = 2 * e.age_s / (e.rates.c0_s + others_s / 2);
    return (static_cast<double>(e.load.inflight) + 1) * std::max(0.0, r.output_tokens - oldest);
}

}  // namespace

forecast forecast_of(const request_view& r, const endpoint_view& e, const cost_weights& w) {
    const step_rates& v = e.rates;
    const auto n = static_cast<double>(e.load.inflight);
    const auto context = static_cast<double>(e.load.context_tokens);
    const double o = r.output_tokens, ctx = r.prompt_tokens;
    const double mine = r.uncached_tokens * v.cp_s;
    const double ahead = static_cast<double>(e.load.prefill_tokens) + r.uncached_tokens;
    const double others = v.cd_s * n + v.ckv_s * context;
    const double step = v.c0_s + others;

    forecast f{};
    f.tpot_s = step + v.cd_s + v.ckv_s * ctx;
    const double per_kv_token = 1 / std::max(1.0, e.kv_tokens);
    const double kv = e.kv_use + ahead * per_kv_token;
    // Where all of every answer finds room, how much of them is still to come decides nothing.
    const bool roomy = kv + (n + 1) * o * per_kv_token <= w.kv_scarce;
    const double growth = roomy ? 0 : growth_tokens(r, e, others) * per_kv_token;
    const auto wait_for_room = [&](double use) { return o * f.tpot_s * std::max(0.0, use - w.kv_full); };
    const double start = ahead * v.cp_s + (1.5 + ahead / w.chunk_tokens) * step + e.adapter_s + e.rtt_s;
    f.ttft_s = start + wait_for_room(kv);

    const double stall = mine * n;
    f.decode_s = o * others + o * n * (v.cd_s + v.ckv_s * ctx);
    const double eviction = w.eviction * std::min(1.0, 2 * e.fill * e.fill) * mine;
    const double scarce = std::clamp((e.kv_use + growth - w.kv_scarce) / (1 - w.kv_scarce), 0.0, 1.0);
    const double memory = w.memory * scarce * o * f.tpot_s * r.uncached_tokens * per_kv_token;
    f.cost_s = start + w.decode * (stall + f.decode_s) + eviction + memory + w.kv_wait * wait_for_room(kv + growth);
    return f;
}

double home_price(double drawn, double new_part, const forecast& f, const cost_weights& w) {
    return w.home * w.decode * f.decode_s * new_part * std::clamp(drawn - 1, -w.home_least, 1.0);
}

}  // namespace sluice::picker
