#include "pipeline/error_reply.hpp"

#include <sluice/json.hpp>

#include <algorithm>

namespace sluice {
namespace {

std::string message_of(const error& e) {
    if (!e.message.empty()) return e.message;
    std::string text{traits(e.kind).code};
    std::replace(text.begin(), text.end(), '_', ' ');
    return text;
}

// A gateway short of memory or about to go has no better guess than "soon".
std::chrono::milliseconds wait_of(const error& e) {
    const bool soon = e.kind == error_kind::overloaded || e.kind == error_kind::draining;
    return e.retry_after.count() == 0 && soon ? std::chrono::milliseconds(1000) : e.retry_after;
}

std::string_view anthropic_type(int status) {
    switch (status) {
        case 401:
            return "authentication_error";
        case 402:
            return "billing_error";
        case 403:
            return "permission_error";
        case 404:
            return "not_found_error";
        case 413:
            return "request_too_large";
        case 429:
            return "rate_limit_error";
        case 503:
        case 529:
            return "overloaded_error";
        case 504:
            return "timeout_error";
        default:
            return status < 500 ? "invalid_request_error" : "api_error";
    }
}

// google.rpc.Code by HTTP status.
std::string_view rpc_code(int status) {
    switch (status) {
        case 401:
            return "UNAUTHENTICATED";
        case 403:
            return "PERMISSION_DENIED";
        case 404:
            return "NOT_FOUND";
        case 409:
            return "ABORTED";
        case 429:
            return "RESOURCE_EXHAUSTED";
        case 499:
            return "CANCELLED";
        case 501:
            return "UNIMPLEMENTED";
        case 503:
            return "UNAVAILABLE";
        case 504:
            return "DEADLINE_EXCEEDED";
        default:
            return status < 500 ? "INVALID_ARGUMENT" : "INTERNAL";
    }
}

std::string anthropic_error_body(const error& e) {
    std::string out = R"({"type":"error","error":{"type":)";
    append_json_string(out, anthropic_type(status_of(e)));
    out += R"(,"message":)";
    append_json_string(out, message_of(e));
    // Anthropic's SDKs begin tool loops in a conversation that the server keeps; by this they know to go on without.
    if (e.kind == error_kind::bad_request && e.param == "thread")
        out += R"(,"details":{"error_code":"thread_unsupported_request","unsupported":["thread"]})";
    return out += "}}";
}

std::string gemini_error_body(const error& e) {
    std::string out = R"({"error":{"code":)" + std::to_string(status_of(e)) + R"(,"message":)";
    append_json_string(out, message_of(e));
    out += R"(,"status":)";
    append_json_string(out, rpc_code(status_of(e)));
    return out += "}}";
}

std::string error_body(const error& e, error_shape shape) {
    switch (shape) {
        case error_shape::anthropic:
            return anthropic_error_body(e);
        case error_shape::gemini:
            return gemini_error_body(e);
        default:
            return openai_error_body(e);
    }
}

}  // namespace

error_shape error_shape_of(std::string_view path) {
    if (path.ends_with("/messages") || path.ends_with("/messages/count_tokens")) return error_shape::anthropic;
    if (path.ends_with("/responses")) return error_shape::responses;
    const auto colon = path.rfind(':');
    const bool method = colon != std::string_view::npos && path.find('/', colon) == std::string_view::npos;
    return method && path.find("/models/") != std::string_view::npos ? error_shape::gemini : error_shape::openai;
}

std::string openai_error_body(const error& e) {
    std::string out = R"({"error":{"message":)";
    append_json_string(out, message_of(e));
    out += R"(,"type":)";
    append_json_string(out, traits(e.kind).type);
    out += R"(,"param":)";
    if (e.param.empty()) {
        out += "null";
    } else {
        append_json_string(out, e.param);
    }
    out += R"(,"code":)";
    append_json_string(out, traits(e.kind).code);
    out += "}}";
    return out;
}

error_reply make_error_reply(const error& e, error_shape shape) {
    error_reply reply;
    reply.head.status = status_of(e);
    const bool as_it_came = e.upstream != nullptr && !e.upstream->body.empty();
    reply.body = as_it_came ? e.upstream->body : error_body(e, shape);
    reply.head.headers.add("Content-Type", as_it_came && !e.upstream->content_type.empty()
                                               ? std::string_view{e.upstream->content_type}
                                               : std::string_view{"application/json"});
    if (const auto wait = wait_of(e); wait.count() > 0) {
        // Whole seconds, rounded up: a client that waits exactly so long is let in.
        reply.head.headers.add("Retry-After", std::to_string((wait.count() + 999) / 1000));
    }
    if (e.kind == error_kind::unauthorized) reply.head.headers.add("WWW-Authenticate", "Bearer");
    reply.head.body = framing::length;
    reply.head.content_length = reply.body.size();
    return reply;
}

std::string make_error_event(const error& e, error_shape shape) {
    if (shape == error_shape::anthropic) return "event: error\ndata: " + anthropic_error_body(e) + "\n\n";
    if (shape != error_shape::responses) return "data: " + error_body(e, shape) + "\n\n";
    std::string out = "event: error\ndata: {\"type\":\"error\",\"code\":";
    append_json_string(out, traits(e.kind).code);
    out += R"(,"message":)";
    append_json_string(out, message_of(e));
    return out += R"(,"param":null})"
                  "\n\n";
}

}  // namespace sluice
