// Spans: one for each exchange and one for each of its attempts at an upstream.
//
// Names and attributes are those of OpenTelemetry's semantic conventions for HTTP and for GenAI
// (opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans). There is no content in them.
#pragma once

#include "telemetry/access_record.hpp"
#include "telemetry/trace_context.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sluice::telemetry {

struct span_attribute {
    std::string_view key;  // a literal: attributes are named in the code
    std::variant<std::string, std::int64_t, bool> value;
};

// The numbers are those of opentelemetry.proto.trace.v1.Span.SpanKind.
enum class span_kind : std::uint8_t { internal = 1, server = 2, client = 3 };

struct span {
    trace_id trace;
    span_id id, parent;  // parent not valid: the root of its trace
    std::string state;   // tracestate
    std::string name;
    span_kind kind = span_kind::internal;
    std::chrono::system_clock::time_point start, end;
    std::vector<span_attribute> attributes;
    bool failed = false;
};

// One call to an upstream, as the relay saw it.
struct upstream_attempt {
    span_id id;  // sent to the upstream as its parent
    std::string_view provider, endpoint, upstream_model;
    std::string_view host;  // name or address, without port
    std::uint16_t port = 0;
    std::string_view method;
    std::chrono::system_clock::time_point start, end;
    int status = 0;  // of the upstream's response; 0: none
    int number = 1;  // 1 is the first attempt
    std::optional<error_kind> failure;
    token_usage usage;
};

// The span of kind server of an exchange. It ends at `record.time` and began `record.duration` earlier. `operation` is
// gen_ai.operation.name ("chat", "embeddings"); empty for an exchange without a model.
span exchange_span(const trace_context& context, const access_record& record, std::string_view operation);
// The span of kind client of one of its attempts, child of the exchange's span.
span attempt_span(const trace_context& context, const upstream_attempt& attempt, std::string_view operation);

}  // namespace sluice::telemetry
