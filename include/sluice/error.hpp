// What went wrong, whose fault it was, and whether trying again may help.
//
// Everything that can happen is an `error` in a `result<T>`. Exceptions are for start-up, for bugs and
// for the abort of an exchange. The kind decides the HTTP status, the stable `code` clients may
// match on, and the metric label; the dialect of the client decides the shape of the body.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sluice {

enum class error_kind : std::uint8_t {
    // The client's request.
    bad_request,              // 400: malformed or not allowed; `param` names the place
    context_length_exceeded,  // 400: the prompt is longer than the model's context window
    unauthorized,             // 401: no credential, or a wrong one
    forbidden,                // 403: a good credential that may not do this
    not_found,                // 404: no such route
    model_not_found,          // 404: no such model, or none that this key may use
    method_not_allowed,       // 405
    request_timeout,          // 408: the client was too slow to send
    length_required,          // 411
    payload_too_large,        // 413: the body is over the route's limit
    uri_too_long,             // 414
    unsupported_media_type,   // 415: a content coding or type we do not take
    rate_limited,             // 429: one of our limits; `retry_after` is set
    headers_too_large,        // 431
    not_implemented,          // 501: an unknown transfer coding
    version_not_supported,    // 505
    // The gateway itself.
    internal,            // 500: a bug
    overloaded,          // 503: a process-wide limit (bytes, connections); `retry_after` is set
    draining,            // 503: the gateway is shutting down
    upstream_forbidden,  // 502: the address of the upstream is not allowed (SSRF guard)
    // The upstream.
    upstream_dns,                 // 502: its name did not resolve
    upstream_connect,             // 502: refused or unreachable
    upstream_connect_timeout,     // 504
    upstream_tls,                 // 502: handshake or certificate
    upstream_tls_timeout,         // 504
    upstream_reset,               // 502: the connection broke
    upstream_protocol,            // 502: not HTTP, or HTTP that must be refused
    upstream_first_byte_timeout,  // 504: no response head in time
    upstream_idle_timeout,        // 504: the stream stalled
    upstream_status,              // the upstream answered with an error: its own status and body
    upstream_event_too_large,     // 502: one SSE event above the limit
    no_target,                    // 503: every target is ejected, cooling down or excluded
    credential,                   // 502: the upstream's credential could not be obtained
    // The exchange.
    total_timeout,       // 504: the whole exchange took too long
    client_gone,         // 499, never sent: the client hung up
    client_write_stall,  // 499, never sent: the client stopped reading
};

enum class blame : std::uint8_t { client, gateway, upstream };

// What a retry may do, as long as nothing was sent to the client.
enum class retry : std::uint8_t { never, other_target, same_target };

// The answer of an upstream that was an error, kept (bounded) so that it can be passed on as it came.
struct upstream_failure {
    int status = 0;
    std::string content_type;
    std::string body;  // at most 64 KiB
};

struct error {
    error_kind kind = error_kind::internal;
    std::string message;                               // for the client: no secrets, no prompt text
    std::string param;                                 // the field or JSON pointer at fault; may be empty
    std::chrono::milliseconds retry_after{0};          // 0: not known
    std::shared_ptr<const upstream_failure> upstream;  // only with upstream_status

    error() = default;
    explicit error(error_kind k, std::string text = {}, std::string where = {})
        : kind(k), message(std::move(text)), param(std::move(where)) {}
};

// What a kind means everywhere. One table, in src/base/error.cpp.
struct error_traits {
    std::string_view code;  // stable, snake case: "rate_limited"
    int status;             // HTTP status of the answer
    blame whose;
    retry again;
    std::string_view type;  // OpenAI's error type: "invalid_request_error"
};
const error_traits& traits(error_kind kind);

// The status of this very error: the upstream's own for upstream_status, else that of its kind.
int status_of(const error& e);

// "rate_limited: 60 requests per minute for key team-a"
std::string describe(const error& e);

}  // namespace sluice
