// What a request would cost at an endpoint, in seconds added to everybody's waiting: pure arithmetic.
//
//   T  = (P + u) cp + (3/2 + (P + u) / chunk) step     time to my first token; step = c0 + cd n + ckv K
//   S  = u cp n                                         running answers stall while my prompt is computed
//   D  = o (cd n + ckv K) + o n (cd + ckv ctx)          my answer is slowed by the others', and theirs by mine
//   E  = g min(1, 2 f^2) u cp                           what my prompt evicts will have to be computed again
//   M  = m c o tpot u / kv_tokens                       memory that my prompt takes from others for as long as answers
//                                                       last, where it is scarce: c goes from 0 at kv' = 0.6 to 1 at 1
//   W  = o tpot (kv' + (P + u) / kv_tokens - 0.95)+     with memory full, room comes as answers end: all of it turns
//                                                       over in the time an answer takes
//   H  = h w D (u / ctx) (drawn - 1)                    a prompt that is kept draws those that begin like it: -1/h to 1
//   cost = T + w (S + D) + E + M + 2 W + H + adapter + round trip  (W once for me, once for those behind me)
//
// P: prompt tokens ahead of me there, u: mine that it does not keep, n: sequences, K: their context, o: my answer's
// expected length, ctx: my prompt, f: how full the index is of what the endpoint keeps (the index has twice the
// endpoint's room), kv: use of its memory.
//
//   kv' = kv + (n + 1) (o - 2 a / step(n/2, K/2))+ / kv_tokens
//
// is that use when the first of the answers ends: until then all of them grow by what the oldest still lacks, which is
// twice as old as their mean age a. With answers that come and go evenly it is kv; in a burst it tells of the memory
// that will run out while the use of it is still modest. Who runs out of it stops amid answers, and those that began
// last begin again.
//
// drawn: what the endpoint keeps, by the time a step takes it under the pool's mean load, over the mean of that over
// the pool. Prompts come back to where they are kept: an endpoint that keeps more than its speed warrants will be the
// slowest of the pool when they do, whatever its load is now. No less than -1/h, so that a home is at best free of D.
#pragma once

#include "routing/picker/endpoint_load.hpp"
#include "routing/picker/rates.hpp"

#include <cstdint>

namespace sluice::picker {

struct cost_weights {
    double decode = 0.07;         // w: a second of slower answers against a second to the first token
    double eviction = 6;          // g
    double home = 4;              // h
    double home_least = 0.25;     // 1 / h
    double kv_wait = 2;           // of W
    double memory = 8;            // m
    double kv_scarce = 0.6;       // use of memory from which it is scarce
    double kv_full = 0.95;        // use of memory above which requests wait for room
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
    double age_s = 0;   // a: since the first token, mean over our answers under way
    double fill = 0;    // f
    double kv_use = 0;  // kv, without this request; 0 when nobody knows
    double kv_tokens = 300'000;
    double adapter_s = 0;  // time to load the adapter
    double rtt_s = 0;
};

struct forecast {
    double cost_s;
    double ttft_s;    // time to first token
    double tpot_s;    // time per further token
    double decode_s;  // D
};

// All of the cost but H, which takes the other endpoints to tell. ttft_s knows of memory that is full, not of memory
// that will be.
forecast forecast_of(const request_view& r, const endpoint_view& e, const cost_weights& w);
// H. new_part: u / ctx.
double home_price(double drawn, double new_part, const forecast& f, const cost_weights& w);

}  // namespace sluice::picker
