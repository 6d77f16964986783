#include "routing/admission/verdict.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace sluice::admission {
namespace {

constexpr double retry_after_max_s = 60;  // estimates of more say nothing
constexpr std::string_view saturated = "rejected-saturated", no_endpoints = "rejected-no-endpoints";

verdict shed(error_kind kind, std::string_view reason, std::string_view message, double retry_after_s = 0) {
    verdict v{.what = action::shed, .kind = kind, .reason = reason, .message = message};
    if (retry_after_s > 0)
        v.retry_after_s = static_cast<int>(std::ceil(std::clamp(retry_after_s, 1.0, retry_after_max_s)));
    return v;
}

double at_least_a_second(double s) {
    return std::max(1.0, s);
}

// Would it come later than promised? A promise that nobody made cannot be broken.
bool too_late(const request_class& c, const situation& s) {
    return c.sheddable && c.ttft_slo_s > 0 && s.waited_s + s.others_wait.wait_s > c.ttft_slo_s;
}

verdict judge_busy(const picker::pick_result& pick, const request_class& c, const situation& s) {
    const double retry_after_s = at_least_a_second(std::max(pick.retry_after_s, s.others_wait.wait_s));
    if (!s.queue_enabled) return shed(error_kind::rate_limited, saturated, "all model servers are busy", retry_after_s);
    if (too_late(c, s))
        return shed(error_kind::rate_limited, saturated, "its turn would come later than the time it asked for",
                    retry_after_s);
    return {.what = action::wait};
}

}  // namespace

verdict judge(const picker::pick_result& pick, const request_class& c, const situation& s) {
    using picker::refusal;
    switch (pick.refused) {
        case refusal::none:
            if (s.in_turn || !s.queue_enabled) return {};
            return judge_busy(pick, c, s);
        case refusal::busy:
            return judge_busy(pick, c, s);
        case refusal::ttft_slo:
            return shed(error_kind::rate_limited, saturated, "no model server would begin its answer in time",
                        at_least_a_second(pick.retry_after_s));
        case refusal::tpot_slo:
            return shed(error_kind::rate_limited, saturated, "no model server would be fast enough",
                        at_least_a_second(pick.retry_after_s));
        case refusal::no_endpoint:
            return shed(error_kind::no_target, no_endpoints, "no model server is ready", 1);
        case refusal::capability:
            return shed(error_kind::no_target, no_endpoints, "no model server can do what the request needs");
        case refusal::adapter:
            return shed(error_kind::no_target, no_endpoints, "no model server has the adapter");
        case refusal::context:
            return shed(error_kind::context_length_exceeded, {}, "prompt and answer are too long for the model");
    }
    assert(false);
    return shed(error_kind::internal, {}, "an unknown refusal");
}

verdict judge(enqueued refused, const queue_view& others_wait) {
    std::string_view message = "too many requests wait for this model";
    if (refused == enqueued::tenant_full) message = "too many of your requests wait for this model";
    return shed(error_kind::rate_limited, saturated, message, at_least_a_second(others_wait.wait_s));
}

verdict expired(const queue_view& others_wait) {
    return shed(error_kind::rate_limited, "rejected-ttl-expired", "no model server had room in time",
                at_least_a_second(others_wait.wait_s));
}

verdict client_gone() {
    return shed(error_kind::client_gone, "rejected-context-cancelled", "the client is gone");
}

verdict shutting_down() {
    return shed(error_kind::draining, "rejected-shutting-down", "the gateway is shutting down", 1);
}

error to_error(const verdict& v) {
    assert(v.what == action::shed);
    error e{v.kind, std::string(v.message)};
    e.retry_after = std::chrono::seconds(v.retry_after_s);
    return e;
}

}  // namespace sluice::admission
