#include "telemetry/span.hpp"

namespace sluice::telemetry {
namespace {

// Adds the attributes that are known.
class attributes {
public:
    explicit attributes(std::vector<span_attribute>& list) : list_(list) {}

    void text(std::string_view key, std::string_view value) {
        if (!value.empty()) list_.push_back({key, std::string{value}});
    }
    void number(std::string_view key, std::int64_t value) {
        if (value >= 0) list_.push_back({key, value});
    }
    void flag(std::string_view key, bool value) { list_.push_back({key, value}); }
    void usage(const token_usage& u) {
        number("gen_ai.usage.input_tokens", u.input);
        number("gen_ai.usage.output_tokens", u.output);
        number("gen_ai.usage.cache_read.input_tokens", u.cached_input);
        number("gen_ai.usage.reasoning.output_tokens", u.reasoning);
    }
    // error.type: our code for what went wrong, else the status when it is an error for this kind of span.
    void error(std::optional<error_kind> failure, int status, int error_from) {
        if (failure) {
            text("error.type", traits(*failure).code);
        } else if (status >= error_from) {
            text("error.type", std::to_string(status));
        }
    }

private:
    std::vector<span_attribute>& list_;
};

std::string joined(std::string_view a, std::string_view b) {
    std::string out{a};
    if (!a.empty() && !b.empty()) out += ' ';
    return out.append(b);
}

// Methods that the conventions know; a client could send any word, and a span's name must not multiply.
std::string_view known_method(std::string_view method) {
    for (const std::string_view m : {"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"}) {
        if (m == method) return m;
    }
    return "_OTHER";
}

}  // namespace

span exchange_span(const trace_context& context, const access_record& record, std::string_view operation) {
    // The server is not at fault for a 4xx, nor is a client that left an error of ours.
    constexpr int error_from = 500;
    span s;
    s.trace = context.trace;
    s.id = context.span;
    s.parent = context.parent;
    s.state = context.state;
    const bool model = !operation.empty() && !record.model.empty();
    s.name = model ? joined(operation, record.model) : joined(known_method(record.method), record.route);
    s.kind = span_kind::server;
    s.end = record.time;
    s.start = record.time - std::chrono::duration_cast<std::chrono::system_clock::duration>(record.duration);
    const bool ours = record.failure && traits(*record.failure).whose != blame::client;
    s.failed = ours || record.status >= error_from;

    attributes a{s.attributes};
    a.text("http.request.method", known_method(record.method));
    a.text("url.path", record.path.substr(0, 1024));
    a.text("http.route", record.route);
    if (record.status > 0) a.number("http.response.status_code", record.status);
    a.text("client.address", record.client);
    a.number("http.request.body.size", record.bytes_in);
    a.number("http.response.body.size", record.bytes_out);
    a.error(record.failure, record.status, error_from);
    if (model) {
        a.text("gen_ai.operation.name", operation);
        a.text("gen_ai.provider.name", record.provider);
        a.text("gen_ai.request.model", record.model);
        a.text("gen_ai.response.model", record.upstream_model);
        a.usage(record.usage);
    }
    a.text("sluice.request_id", record.request_id);
    a.text("sluice.key_id", record.key_id);
    a.text("sluice.tenant", record.tenant);
    a.number("sluice.attempts", record.attempts);
    a.flag("sluice.stream", record.stream);
    a.flag("sluice.fell_back", record.fell_back);
    a.number("sluice.overhead_us", record.overhead().count() / 1000);
    a.text("sluice.aborted", name_of(record.aborted));
    return s;
}

span attempt_span(const trace_context& context, const upstream_attempt& attempt, std::string_view operation) {
    constexpr int error_from = 400;  // for a client, any error status is one
    span s;
    s.trace = context.trace;
    s.id = attempt.id;
    s.parent = context.span;
    s.state = context.state;
    const bool model = !operation.empty() && !attempt.upstream_model.empty();
    s.name = model ? joined(operation, attempt.upstream_model) : joined(known_method(attempt.method), attempt.provider);
    s.kind = span_kind::client;
    s.start = attempt.start;
    s.end = attempt.end;
    s.failed = attempt.failure || attempt.status >= error_from;

    attributes a{s.attributes};
    if (model) {
        a.text("gen_ai.operation.name", operation);
        a.text("gen_ai.request.model", attempt.upstream_model);
        a.usage(attempt.usage);
    }
    a.text("gen_ai.provider.name", attempt.provider);
    a.text("http.request.method", known_method(attempt.method));
    if (attempt.status > 0) a.number("http.response.status_code", attempt.status);
    a.text("server.address", attempt.host);
    if (attempt.port != 0) a.number("server.port", attempt.port);
    if (attempt.number > 1) a.number("http.request.resend_count", attempt.number - 1);
    a.error(attempt.failure, attempt.status, error_from);
    a.text("sluice.endpoint", attempt.endpoint);
    return s;
}

}  // namespace sluice::telemetry
