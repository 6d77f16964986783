#include "app/recorder.hpp"

#include "base/ids.hpp"
#include "telemetry/log.hpp"
#include "telemetry/span.hpp"

namespace sluice::app {

std::string_view operation_of(std::string_view path) {
    if (path.ends_with("/chat/completions") || path.ends_with("/messages") || path.ends_with("/responses"))
        return "chat";
    if (path.ends_with("/completions")) return "text_completion";
    if (path.ends_with("/embeddings")) return "embeddings";
    if (path.ends_with("/moderations")) return "moderation";
    if (path.ends_with("/rerank")) return "rerank";
    if (path.find("/images/") != std::string_view::npos) return "image";
    if (path.find("/audio/") != std::string_view::npos) return "audio";
    return "other";
}

recorder::recorder(metrics& m, const clock& time, random_source& random, telemetry::access_log::writer* log,
                   telemetry::trace_exporter* exporter, telemetry::sampling sampling)
    : metrics_(m), time_(time), random_(random), log_(log), exporter_(exporter), sampling_(sampling), models_(m) {}

void recorder::began(exchange& x) {
    route_of(x.route_name()).started();
    x.timed = ++begun_ % timed_every == 0;
    if (exporter_ == nullptr && !x.request().headers.contains("traceparent")) return;
    const auto context = telemetry::continue_or_start(x.request().headers, sampling_, random_);
    x.trace_id = to_hex(context.trace);
    x.span_id = to_hex(context.span);
    if (context.parent.valid()) x.parent_span_id = to_hex(context.parent);
    x.trace_state = context.state;
    x.trace_sampled = context.sampled;
}

void recorder::ended(const facts& f) {
    const exchange& x = f.x;
    const auto now = time_.now();
    auto record = telemetry::record_of(x, static_cast<std::int64_t>(f.bytes_in), now, time_.wall());
    if (log_ != nullptr) log_->append(record, now);

    auto& route = route_of(x.route_name());
    route.finished(x.status, record.duration, record.upstream);
    route.transferred(static_cast<std::int64_t>(f.bytes_in), x.reply_bytes);
    for (int i = 1; i < x.attempts; ++i) route.retried();
    if (x.fell_back) route.fell_back();
    if (f.failure != nullptr && x.target && traits(f.failure->kind).whose == blame::upstream) {
        errors_of(x.target->endpoint->provider).count(f.failure->kind);
    }
    const std::string_view operation = operation_of(x.request().path());
    trace(f, record, operation, now);
    if (x.model.empty() || !x.target) return;
    telemetry::genai_outcome outcome;
    outcome.duration = record.duration;
    if (x.stream) outcome.time_to_first_token = record.time_to_first_byte;
    outcome.usage = x.usage;
    if (f.failure != nullptr) outcome.failure = f.failure->kind;
    models_.series({x.route_name(), operation, x.target->endpoint->provider, x.model_entry, x.target->model})
        .record(outcome);
}

void recorder::trace(const facts& f, const telemetry::access_record& record, std::string_view operation,
                     clock::time_point now) {
    if (exporter_ == nullptr || !f.x.trace_sampled) return;
    telemetry::trace_context context;
    context.trace = parse_trace_id(f.x.trace_id).value_or(trace_id{});
    context.span = parse_span_id(f.x.span_id).value_or(span_id{});
    context.parent = parse_span_id(f.x.parent_span_id).value_or(span_id{});
    context.sampled = true;
    context.state = f.x.trace_state;
    exporter_->add(telemetry::exchange_span(context, record, operation));
    int number = 0;
    for (const upstream_call& c : f.x.calls) {
        telemetry::upstream_attempt a;
        a.id = parse_span_id(c.span_id).value_or(span_id{});
        a.provider = c.endpoint->provider;
        a.endpoint = c.endpoint->name;
        a.upstream_model = c.model;
        a.host = c.endpoint->host;
        a.port = c.endpoint->port;
        a.method = f.x.request().method;
        const auto wall = [&](std::chrono::steady_clock::time_point t) {
            return record.time - std::chrono::duration_cast<std::chrono::system_clock::duration>(now - t);
        };
        a.start = wall(c.start);
        a.end = wall(c.end);
        a.status = c.status;
        a.number = ++number;
        a.failure = c.failure;
        if (&c == &f.x.calls.back()) a.usage = f.x.usage;
        exporter_->add(telemetry::attempt_span(context, a, operation));
    }
}

void recorder::refused(std::string_view reason) {
    auto& c = refusals_[reason];  // reasons are literals
    if (c == nullptr)
        c = &metrics_.get_counter("sluice_requests_refused_total", "Requests refused before they had a route.",
                                  {{"reason", reason}});
    c->add();
}

void recorder::bug(std::string_view what) {
    log::error("unexpected exception in an exchange: {}", what);
}

telemetry::route_metrics& recorder::route_of(std::string_view name) {
    if (name.empty()) name = "none";
    const auto found = routes_.find(name);
    if (found != routes_.end()) return *found->second;
    names_.push_back(std::make_unique<std::string>(name));
    return *routes_.emplace(*names_.back(), std::make_unique<telemetry::route_metrics>(metrics_, name)).first->second;
}

telemetry::upstream_error_metrics& recorder::errors_of(std::string_view provider) {
    const auto found = errors_.find(provider);
    if (found != errors_.end()) return *found->second;
    names_.push_back(std::make_unique<std::string>(provider));
    return *errors_.emplace(*names_.back(), std::make_unique<telemetry::upstream_error_metrics>(metrics_, provider))
                .first->second;
}

}  // namespace sluice::app
