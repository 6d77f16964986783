// What a request would cost at an endpoint, in seconds added to everybody's waiting: pure arithmetic.
//
//   T  = (P + u) cp + (3/2 + (P + u) / chunk) step        time to my first token
//   S  = u cp n                                            running answers stall while my prompt is computed
//   D  = o (cd n + ckv K) + o n (cd + ckv ctx)             my answer is slowed by the others', and theirs by mine
//   E  = g f^2 u cp                                        what my prompt evicts will have to be computed again
//   B  = 10 s (kv - 0.85)^2 / 0.15^2  above 0.85           near the brim requests wait for room, or are thrown out
//   cost = T + E + w (S + D) + B + adapter + round trip
//
// P: prompt tokens ahead of me there, u: mine that it does not keep, n: sequences, K: their context, o: my answer's
// expected length, ctx: my prompt, f: how full its memory is of what was sent there, kv: use of its memory.
#pragma once

#include "routing/picker/endpoint_load.hpp"
#include "routing/picker/rates.hpp"

#include <cstdint>

namespace sluice::picker {

struct cost_weights {
    double decode = 0.1;       // w: a second of slower answers against a second to the first token
    double eviction = 6;       // g
    double kv_barrier_s = 10;  // B at a full memory
    double kv_barrier_from = 0.85;
    double adapter_load_s = 0.3;  // into a free slot
    double adapter_swap_s = 1;    // when another adapter must go
    double chunk_tokens = 8192;   // of prompts computed in one step
};

// The request as this endpoint would see it.
struct request_view {
    double uncached_tokens = 0;  // u
    double prompt_tokens = 0;    // ctx
    double output_tokens = 0;    // o
};

struct endpoint_view {
    load_reading load;  // own, and an estimate of other clients' work added to it
    step_rates rates;
    double fill = 0;    // f
    double kv_use = 0;  // kv, without this request; 0 when nobody knows
    double kv_tokens = 300'000;
    double adapter_s = 0;  // time to load the adapter
    double rtt_s = 0;
};

struct forecast {
    double cost_s = 0;
    double ttft_s = 0;  // time to first token
    double tpot_s = 0;  // time per further token
};

forecast forecast_of(const request_view& r, const endpoint_view& e, const cost_weights& w);

}  // namespace sluice::picker
