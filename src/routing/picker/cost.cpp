#include "routing/picker/cost.hpp"

#include <algorithm>

namespace sluice::picker {

forecast forecast_of(const request_view& r, const endpoint_view& e, const cost_weights& w) {
    const step_rates& v = e.rates;
    const auto n = static_cast<double>(e.load.inflight);
    const auto context = static_cast<double>(e.load.context_tokens);
    const double u = r.uncached_tokens, o = r.output_tokens;
    const double ahead = static_cast<double>(e.load.prefill_tokens) + u;
    const double step = v.c0_s + v.cd_s * n + v.ckv_s * context;

    forecast f;
    f.ttft_s = ahead * v.cp_s + (1.5 + ahead / w.chunk_tokens) * step + e.adapter_s + e.rtt_s;
    f.tpot_s = step + v.cd_s + v.ckv_s * r.prompt_tokens;

    const double stall = u * v.cp_s * n;
    const double decode = o * (step - v.c0_s) + o * n * (v.cd_s + v.ckv_s * r.prompt_tokens);
    const double eviction = w.eviction * e.fill * e.fill * u * v.cp_s;
    const double kv = e.kv_use + u / std::max(1.0, e.kv_tokens);
    const double over = std::max(0.0, (kv - w.kv_barrier_from) / (1 - w.kv_barrier_from));
    f.cost_s = f.ttft_s + eviction + w.decode * (stall + decode) + w.kv_barrier_s * over * over;
    return f;
}

}  // namespace sluice::picker
