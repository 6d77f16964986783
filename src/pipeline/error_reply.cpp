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

}  // namespace

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

error_reply make_error_reply(const error& e) {
    error_reply reply;
    reply.head.status = status_of(e);
    const bool as_it_came = e.upstream != nullptr && !e.upstream->body.empty();
    reply.body = as_it_came ? e.upstream->body : openai_error_body(e);
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

std::string make_error_event(const error& e) {
    return "data: " + openai_error_body(e) + "\n\n";
}

}  // namespace sluice
