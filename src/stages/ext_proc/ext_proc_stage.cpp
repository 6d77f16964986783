#include "stages/ext_proc/ext_proc_stage.hpp"

#include "routing/ext_proc/processor_address.hpp"
#include "stages/ext_proc/observed_reply.hpp"
#include "stages/ext_proc/request_view.hpp"

#include <chrono>
#include <stdexcept>
#include <utility>

namespace sluice::ext_proc_stage {
namespace {

using ext_proc::body_mode;
using ext_proc::failure;
using ext_proc::immediate_reply;
using ext_proc::processor_client;

constexpr double buckets[] = {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10};

counter& outcome(metrics& m, const std::string& processor, std::string_view which) {
    return m.get_counter("sluice_ext_proc_requests_total", "Requests by what their processor did.",
                         {{"processor", processor}, {"outcome", which}});
}

std::shared_ptr<net::grpc_channel> channel_to(const ext_proc_config& config, services& s) {
    if (s.dialer() == nullptr) throw std::logic_error("this worker makes no connections");
    net::tls_trust trust;
    auto at =
        ext_proc::processor_address(config.name, config.target, config.tls, trust, config.session.message_timeout);
    if (!at) throw std::runtime_error("ext_proc: " + at.error().message);
    net::grpc_options options;
    options.message_bytes_max = config.session.limits.message_bytes_max;
    return net::make_grpc_channel(std::move(*at), *s.dialer(), s, options);
}

// As Envoy answers: 504 when the processor was late, else 500. In the middle of an attempt nothing may look like a
// failure of the upstream.
enum class place : std::uint8_t { around_route, in_attempt };

place place_of(const exchange& x) {
    return x.target ? place::in_attempt : place::around_route;
}

error failure_of(place where, failure why, std::string text) {
    const bool late = why == failure::timeout && where == place::around_route;
    return error{late ? error_kind::upstream_first_byte_timeout : error_kind::internal, std::move(text)};
}

bool has_body(const request_head& head) {
    return head.body != framing::none && (head.body == framing::chunked || head.content_length > 0);
}

}  // namespace

ext_proc_stage::ext_proc_stage(const ext_proc_config& config, services& s)
    : config_(config),
      services_(s),
      breaker_(s.shared<routing::circuit_breaker>("ext_proc " + config.target,
                                                  [] { return std::make_shared<routing::circuit_breaker>(); })),
      channel_(channel_to(config, s)),
      processed_(outcome(s.metrics(), config.name, "processed")),
      replied_(outcome(s.metrics(), config.name, "replied")),
      failed_(outcome(s.metrics(), config.name, "failed")),
      skipped_(outcome(s.metrics(), config.name, "skipped")),
      observed_(outcome(s.metrics(), config.name, "observed")),
      refused_headers_(s.metrics().get_counter("sluice_ext_proc_refused_headers_total",
                                               "Changes of headers that a processor may not make.",
                                               {{"processor", config.name}})),
      seconds_(s.metrics().get_histogram("sluice_ext_proc_request_seconds",
                                         "Time until a processor had done with the request.", buckets,
                                         {{"processor", config.name}})) {}

awaitable<void> ext_proc_stage::serve(exchange& x, next_stage next) {
    // From a client they would be claims.
    for (const std::string& name : config_.model_headers) x.request_to_change().headers.remove(name);
    return config_.session.observe_only ? observe(x, next) : process(x, next);
}

bool ext_proc_stage::wants_body() const {
    return config_.session.request_body != body_mode::none || config_.session.allow_mode_override;
}

awaitable<result<std::string>> ext_proc_stage::body_of(exchange& x) const {
    if (!wants_body()) co_return std::string{};
    const auto collected = co_await x.collect_body();
    if (!collected) co_return collected.error();
    if (x.outgoing_body) co_return *x.outgoing_body;
    co_return x.edits().empty() ? std::string(*collected) : x.edits().apply(*collected);
}

void ext_proc_stage::judge(ext_proc::processor_session& session, counter& otherwise) {
    refused_headers_.add(static_cast<std::int64_t>(session.refused_headers()));
    if (session.failed() == failure::none) {
        breaker_->succeeded();
        otherwise.add();
    } else {
        breaker_->failed(services_.time().now());
        failed_.add();
    }
}

awaitable<void> ext_proc_stage::process(exchange& x, next_stage next) {
    const auto began = services_.time().now();
    if (!breaker_->allow(began)) {
        skipped_.add();
        if (open()) co_return co_await next(x);
        error e = failure_of(place_of(x), failure::grpc_status, "The request's processor is not available.");
        e.retry_after = std::chrono::seconds(config_.session.retry_after);
        co_return x.fail(std::move(e));
    }
    auto body = co_await body_of(x);
    if (!body) co_return x.fail(body.error());
    if (body->size() > config_.body_bytes_max.value) {
        skipped_.add();
        if (open()) co_return co_await next(x);
        co_return x.fail(error{error_kind::payload_too_large, "The request is larger than its processor is given."});
    }
    memory_hold held(services_);
    // The copy here, and what waits to be sent.
    if (!held.reach(2 * body->size()))
        co_return x.fail(error{error_kind::overloaded, "The gateway is out of buffers."});
    processor_client client(config_.session, {}, *channel_, services_.time());
    const auto unseen = body->empty() && !wants_body() && has_body(x.request()) ? processor_client::unseen_body::yes
                                                                                : processor_client::unseen_body::no;
    auto verdict = co_await client.ask(head_of(x, config_.request_attributes), *body, {}, unseen);
    seconds_.observe(std::chrono::duration<double>(services_.time().now() - began).count());
    if (auto* const reply = std::get_if<immediate_reply>(&verdict)) {
        const failure why = client.session().failed();
        judge(client.session(), replied_);
        if (why != failure::none) co_return x.fail(failure_of(place_of(x), why, std::move(reply->details)));
        co_return co_await ext_proc::send_reply(x.reply(), *reply, x.request().method);
    }
    *body = {};
    const request_head_hold restored(x);
    co_await apply(x, std::move(std::get<ext_proc::dispatch>(verdict)), config_.model_headers);
    co_await follow(x, next, client, held);
}

awaitable<void> ext_proc_stage::follow(exchange& x, next_stage next, processor_client& client, memory_hold& held) {
    if (!client.follows_reply()) {
        judge(client.session(), processed_);
        co_return co_await next(x);
    }
    const place where = place_of(x);
    ext_proc::processor_sink sink(client, x, x.reply(), {}, ext_proc::processor_sink::denial::answer, &held);
    {
        const sink_scope scope(x, sink, sink_scope::needs::pieces);
        co_await next(x);
    }
    judge(client.session(), sink.denied() ? replied_ : processed_);
    if (sink.answered()) {
        x.clear_failure();
    } else if (sink.failed() && x.failure()) {
        x.fail(failure_of(where, client.session().failed(), x.failure()->message));
    }
}

awaitable<void> ext_proc_stage::observe(exchange& x, next_stage next) {
    auto body = co_await body_of(x);
    if (!body) co_return x.fail(body.error());
    memory_hold held(services_);
    if (!held.reach(body->size())) *body = {};
    observed_reply watched(config_.session, channel_, services_);
    watched.show_request(head_of(x, config_.request_attributes), *body, has_body(x.request()));
    *body = {};
    {
        const observer_scope scope(x, watched, sink_scope::needs::pieces);
        co_await next(x);
    }
    watched.finish();
    (watched.gave_up() ? failed_ : observed_).add();
}

}  // namespace sluice::ext_proc_stage
