#include "base/ascii.hpp"
#include "base/ids.hpp"
#include "http/hop_by_hop.hpp"
#include "http/reserved_header.hpp"
#include "pipeline/relay.hpp"

#include <algorithm>
#include <string>

namespace sluice {
namespace {

// On whose account at the provider a model is called is not for the client to say.
bool account(std::string_view name) {
    return ascii::token_equals(name, "openai-organization") || ascii::token_equals(name, "openai-project") ||
           ascii::token_equals(name, "x-goog-user-project");
}

// What tells a provider of one dialect about its own features and clients.
bool vendor(std::string_view name) {
    const auto starts_with = [&](std::string_view prefix) {
        return name.size() >= prefix.size() && iequals(name.substr(0, prefix.size()), prefix);
    };
    return starts_with("anthropic-") || starts_with("openai-") || starts_with("x-goog-") ||
           starts_with("x-stainless-") || starts_with("x-amz") || iequals(name, "x-app");
}

bool coded(std::string_view name) {
    return ascii::token_equals(name, "accept-encoding") || ascii::token_equals(name, "sec-websocket-extensions");
}

// Browsers can set no header on a WebSocket: OpenAI's clients there put their key among the subprotocols.
void hide_key(header_list& headers) {
    constexpr std::string_view name = "sec-websocket-protocol", key = "openai-insecure-api-key.";
    if (!headers.contains(name)) return;
    std::string kept;
    for (const auto field : headers) {
        if (!iequals(field.name, name)) continue;
        for (std::string_view rest = field.value; !rest.empty();) {
            const std::size_t comma = rest.find(',');
            std::string_view token = rest.substr(0, comma);
            rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
            token.remove_prefix(std::min(token.find_first_not_of(" \t"), token.size()));
            if (token.empty() || (token.size() >= key.size() && iequals(token.substr(0, key.size()), key))) continue;
            if (!kept.empty()) kept += ", ";
            kept += token;
        }
    }
    headers.remove(name);
    if (!kept.empty()) headers.add("Sec-WebSocket-Protocol", kept);
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
    const bool translated = x.target->translated;
    out.add_from(*from, [&](const header_list::field& field) {
        if (http::is_hop_by_hop(field.name) || http::gateway_header(field.name)) return false;
        if (!forwards_credentials && http::credential_header(field.name)) return false;
        if (translated && vendor(field.name)) return false;
        // A model's answer must be readable on its way: no coding, no compressed frames.
        return !for_model || !(coded(field.name) || account(field.name));
    });
    if (translated) out.set("content-type", "application/json");  // the body is ours; clients say all sorts
    if (for_model) hide_key(out);
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
