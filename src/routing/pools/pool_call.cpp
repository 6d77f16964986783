#include "routing/pools/pool_client.hpp"

#include <algorithm>

namespace sluice::routing {
namespace {

bool says_full(const error& e) {
    const int status = e.kind == error_kind::upstream_status ? status_of(e) : 0;
    return status == 429 || status == 503 || e.kind == error_kind::upstream_first_byte_timeout;
}

}  // namespace

pool_call::pool_call(pool_client& at, placement where, const picker::request_features& f, exchange& x)
    : at_(at),
      where_(std::move(where)),
      features_(f),
      x_(x),
      inflight_(at.admission() == nullptr ? 0 : at.pool().picker().load(where_.ticket.slot).inflight),
      start_(at.no_start()),
      sent_(at.common().time().recent()) {
    x.keep(where_.keeps);
    if (x.stream || where_.ttft_s <= 0) return;
    expects_start_ = true;
    start_ = at_.expect_start(*this, sent_ + std::chrono::duration_cast<steady_time::duration>(
                                                 std::chrono::duration<double>(std::min(where_.ttft_s, 3600.0))));
}

pool_call::~pool_call() {
    if (finished_) return;
    stop_expecting();
    const steady_time now = at_.common().time().recent();
    at_.pool().picker().on_failed(where_.ticket, features_, now);
    at_.gave_room(now);
}

void pool_call::stop_expecting() {
    if (expects_start_) at_.forget_start(start_);
    expects_start_ = false;
}

void pool_call::start_came() {
    expects_start_ = false;
    at_.pool().picker().on_prompt_computed(where_.ticket);
}

void pool_call::see_head(const response_head& h) {
    const auto said = h.headers.find("endpoint-load-metrics");
    if (!said) return;
    const auto report = signals::read_load_header(*said);
    if (!report) return;
    at_.pool().picker().on_metrics(where_.member->slot, {report->kv_use, report->running, report->waiting},
                                   at_.common().time().recent());
}

void pool_call::see(const event& e) {
    if (where_.ticket.started || e.raw.empty() || !x_.stream) return;
    const steady_time now = at_.common().time().now();
    at_.pool().picker().on_first_token(where_.ticket, now);
    where_.member->state->latency.saw(picker::seconds_between(sent_, now), now);
    if (at_.admission() == nullptr) return;
    const double alone_s = admission::idle_ttft_s(at_.pool().picker().rates(where_.ticket.slot),
                                                  static_cast<double>(where_.ticket.prefill));
    at_.admission()
        ->capacity(where_.ticket.slot)
        .saw_first_token(picker::seconds_between(sent_, now), alone_s, inflight_);
}

void pool_call::finish() {
    finished_ = true;
    stop_expecting();
    const steady_time now = at_.common().time().now();
    if (x_.failure()) {
        at_.pool().picker().on_failed(where_.ticket, features_, now);
        if (at_.admission() != nullptr && says_full(*x_.failure()))
            at_.admission()->capacity(where_.ticket.slot).saw_overload();
    } else {
        learn(now);
    }
    at_.gave_room(now);
}

// What a good answer says of the endpoint.
void pool_call::learn(steady_time now) {
    picker::endpoint_picker& p = at_.pool().picker();
    if (!x_.stream) where_.member->state->latency.saw(picker::seconds_between(sent_, now), now);
    const token_usage& u = x_.usage;
    if (p.on_done(where_.ticket, features_, {u.input, u.cached_input, u.output}, now)) at_.restarts.add();
    if (u.input < 0 || u.cached_input < 0) return;
    at_.prompt_tokens.add(u.input);
    at_.cached_tokens.add(u.cached_input);
    at_.expected_cached.add(static_cast<std::int64_t>(where_.ticket.cached_tokens));
}

}  // namespace sluice::routing
