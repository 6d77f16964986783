// What happens to a request that the picker had no endpoint for: does it wait, or is it refused, and in which words?
#pragma once

#include "routing/admission/pool_queue.hpp"
#include "routing/admission/request_class.hpp"
#include "routing/picker/endpoint_picker.hpp"

#include <sluice/error.hpp>

namespace sluice::admission {

enum class action : std::uint8_t {
    admit,  // dispatch what the picker chose
    wait,   // enter the queue, or stay in it
    shed,   // answer at once: `status`, `retry_after_s`, `reason`
};

// Value of the response header that tells other gateways and clients why; the names of llm-d's flow control.
inline constexpr std::string_view dropped_header = "x-llm-d-request-dropped-reason";

struct verdict {
    action what = action::admit;
    // Of shed:
    error_kind kind =
        error_kind::internal;       // rate_limited 429, no_target 503, context_length_exceeded 400, draining 503
    int retry_after_s = 0;          // 0: nothing to be said
    std::string_view reason = {};   // for dropped_header; empty: it was not for load
    std::string_view message = {};  // for the client
};

// A pick, whether it is the request's first or one that the queue gave it a try for.
//   chosen                     admit, if it is its turn; else wait
//   busy                       wait; but shed what may be shed and would wait longer than its promise allows
//   ttft_slo, tpot_slo         shed (the picker says so only of what may be shed): rejected-saturated
//   no_endpoint, capability,   shed: rejected-no-endpoints
//   adapter
//   context                    shed, as the client's error
struct situation {
    bool in_turn = true;          // nobody waits, or the queue gave it a try
    queue_view others_wait = {};  // pool_queue::view of its class
    double waited_s = 0;          // it has waited so long
    bool queue_enabled = true;    // without a queue those that would wait are shed
};
verdict judge(const picker::pick_result& pick, const request_class& c, const situation& s);

// One that could not enter the queue: rejected-saturated. Not for `waits` and `try_now`.
verdict judge(enqueued refused, const queue_view& others_wait);

verdict expired(const queue_view& others_wait);  // rejected-ttl-expired
verdict client_gone();                           // rejected-context-cancelled; nobody reads it but metrics
verdict shutting_down();                         // rejected-shutting-down

// A verdict of shed as the error that the client's dialect renders.
error to_error(const verdict& v);

}  // namespace sluice::admission
