#include "routing/picker/cost.hpp"

#include <algorithm>

namespace sluice::picker {

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
    const double kv = e.kv_use + ahead / std::max(1.0, e.kv_tokens);
    const double room = o * f.tpot_s * std::max(0.0, kv - w.kv_full);
    f.ttft_s = ahead * v.cp_s + (1.5 + ahead / w.chunk_tokens) * step + room + e.adapter_s + e.rtt_s;

    const double stall = mine * n;
    const double decode = o * others + o * n * (v.cd_s + v.ckv_s * ctx);
    const double eviction = w.eviction * e.fill * e.fill * mine;
    const double scarce = std::clamp((e.kv_use - w.kv_scarce) / (1 - w.kv_scarce), 0.0, 1.0);
    const double memory = w.memory * scarce * o * f.tpot_s * r.uncached_tokens / std::max(1.0, e.kv_tokens);
    f.cost_s = f.ttft_s + w.decode * (stall + decode) + eviction + memory + w.kv_wait_behind * room;
    return f;
}

}  // namespace sluice::picker
