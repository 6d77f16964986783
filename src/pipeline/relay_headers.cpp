#include "base/ascii.hpp"
#include "base/ids.hpp"
#include "http/hop_by_hop.hpp"
#include "pipeline/relay.hpp"

namespace sluice {
namespace {

bool starts_with(std::string_view name, std::string_view prefix) {
    return name.size() >= prefix.size() && iequals(name.substr(0, prefix.size()), prefix);
}

// Only the gateway may say these to an upstream; from a client they would be claims.
bool ours_to_say(std::string_view name) {
    switch (name.size() < 2 ? '\0' : static_cast<char>(name[0] | 0x20)) {
        case 'x':
            return starts_with(name, "x-forwarded-") || starts_with(name, "x-sluice-") ||
                   starts_with(name, "x-gateway-") || iequals(name, "x-real-ip") || iequals(name, "x-request-id");
        case 'f':
            return iequals(name, "forwarded");
        case 'h':
            return iequals(name, "host");
        case 't':
            return iequals(name, "traceparent") || iequals(name, "tracestate");
        default:
            return false;
    }
}

// What proves who the client is, to us and to nobody else.
bool credential(std::string_view name) {
    switch (name.size()) {
        case 6:
            return ascii::token_equals(name, "cookie");
        case 7:
            return ascii::token_equals(name, "api-key");
        case 9:
            return ascii::token_equals(name, "x-api-key");
        case 13:
            return ascii::token_equals(name, "authorization");
        case 14:
            return ascii::token_equals(name, "x-goog-api-key");
        case 20:
            return ascii::token_equals(name, "x-amz-security-token");
        default:
            return false;
    }
}

// On whose account at the provider a model is called is not for the client to say.
bool account(std::string_view name) {
    return ascii::token_equals(name, "openai-organization") || ascii::token_equals(name, "openai-project") ||
           ascii::token_equals(name, "x-goog-user-project");
}

bool nominates(const header_list& headers) {
    for (const auto field : headers) {
        if (iequals(field.name, "connection") && !iequals(field.value, "keep-alive") && !iequals(field.value, "close"))
            return true;
    }
    return false;
}

}  // namespace

// Differs from the exchange's own span and from those of its other calls, and needs no randomness.
std::string call_span(const exchange& x) {
    span_id id = parse_span_id(x.span_id).value_or(span_id{});
    id.value ^= static_cast<std::uint64_t>(x.attempts);
    return to_hex(id.valid() ? id : span_id{~std::uint64_t{0}});
}

void filter_request_headers(const exchange& x, header_list& out) {
    const request_head& head = x.request();
    // The fields that Connection names end here too; most clients name none but keep-alive.
    header_list nominated;
    const header_list* from = &head.headers;
    if (nominates(head.headers)) {
        nominated = head.headers;
        http::remove_hop_by_hop(nominated);
        from = &nominated;
    }
    const bool forwards_credentials = x.target->forward_credentials;
    const bool for_model = !x.model.empty();
    out.add_from(*from, [&](const header_list::field& field) {
        if (http::is_hop_by_hop(field.name) || ours_to_say(field.name)) return false;
        if (!forwards_credentials && credential(field.name)) return false;
        // A model's answer must be readable on its way: no coding.
        return !for_model || !(ascii::token_equals(field.name, "accept-encoding") || account(field.name));
    });
    out.add("x-request-id", x.request_id());
    if (!x.trace_id.empty()) {
        out.add("traceparent", "00-" + x.trace_id + "-" + call_span(x) + (x.trace_sampled ? "-01" : "-00"));
        if (!x.trace_state.empty()) out.add("tracestate", x.trace_state);
    }
    if (x.model.empty()) out.add("x-forwarded-for", x.remote_address());
    if (x.target->headers != nullptr) {
        for (const auto field : *x.target->headers) out.set(field.name, field.value);
    }
}

void filter_response_headers(const exchange& x, header_list& headers) {
    http::remove_hop_by_hop(headers);
    headers.remove("server");
    headers.remove("alt-svc");  // other addresses of the upstream
    if (x.model.empty()) return;
    headers.remove("set-cookie");
    headers.remove("openai-organization");
    headers.remove("openai-project");
}

}  // namespace sluice
