// W3C Trace Context (www.w3.org/TR/trace-context-2): which trace a request belongs to.
//
// Parsing is strict: a traceparent that breaks a rule begins a new trace, and a tracestate that breaks one is
// dropped. The headers come from clients, so nothing of them is kept that was not checked.
#pragma once

#include "base/ids.hpp"

#include <sluice/message.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace sluice::telemetry {

// What a traceparent header says.
struct traceparent {
    trace_id trace;
    span_id parent;
    bool sampled = false;
    bool operator==(const traceparent&) const = default;
};

// Nothing unless every rule holds: lengths, lower-case digits, ids that are not zero, version not ff and nothing behind
// the flags of version 00. A higher version may have more fields behind a dash; they are ignored.
std::optional<traceparent> parse_traceparent(std::string_view value);
// Version 00 with the sampled flag and no other: "00-<trace>-<span>-01".
std::string to_traceparent(trace_id trace, span_id span, bool sampled);

// A tracestate as it is passed on: white space around members and empty members left out. Nothing when a member is
// malformed, a key comes twice or there are more than 32. Over 512 characters, members are left out whole as the
// specification asks: those over 128 characters first, then from the end.
std::optional<std::string> normalized_tracestate(std::string_view combined);

// The place of one exchange in its trace.
struct trace_context {
    trace_id trace;
    span_id parent;        // the caller's span; not valid when the trace begins here
    span_id span;          // the exchange's own
    bool sampled = false;  // shall spans of it be exported?
    std::string state;     // tracestate for upstreams; may be empty
};

struct sampling {
    double ratio = 1.0;
    bool follow_parent = true;
};

// Is a trace within `ratio` of all traces? Decided from the low 63 bits of its id, as OpenTelemetry's
// TraceIdRatioBased sampler does, so that every service with the same ratio picks the same traces.
bool sampled_by_ratio(trace_id trace, double ratio);

// Goes on with the trace in the headers, or begins one when there is none, more than one or a bad one.
trace_context continue_or_start(const header_list& headers, const sampling& s, random_source& random);

// Replaces traceparent and tracestate on a request to an upstream, as the child `attempt` of the exchange's span.
void inject(const trace_context& context, span_id attempt, header_list& headers);

}  // namespace sluice::telemetry
