// One request and its response on one upstream connection, as the relay sees it. Implemented by net.
#pragma once

#include <sluice/exchange.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace sluice {

// Body bytes as they came, decoded from chunks.
struct body_piece {
    std::string_view data;  // valid until the next call on the connection
    bool last = false;      // nothing follows; data may be empty then
};

// A request without its body, in no version's words. Views live until send() is done.
struct outgoing_request {
    std::string_view method, target, host;
    const header_list& headers;
    framing body = framing::none;   // length or chunked: how its end is told
    std::uint64_t length = 0;       // with framing::length
    std::string_view upgrade = {};  // the protocol to switch to; empty: none
};

// Dropping the connection gives it back to its pool when request and response are complete and both
// sides keep it alive, and closes it otherwise: that is how an abort reaches the upstream.
class upstream_connection {
public:
    virtual ~upstream_connection() = default;

    // Sends head and body, in as few system calls as the kernel allows. The first of the pieces is the connection's
    // own, to put the head there; those behind it are the body, all of it if `whole`. Until the request is complete,
    // the connection is not reused. Error: upstream_reset, upstream_idle_timeout (the upstream does not read).
    virtual awaitable<result<void>> send(const outgoing_request& request, std::span<std::string_view> pieces,
                                         bool whole, std::chrono::milliseconds timeout) = 0;
    // More of the body; with the last piece, which may be empty, the request is complete. Errors of send().
    virtual awaitable<result<void>> send_body(std::string_view piece, bool last, std::chrono::milliseconds timeout) = 0;

    // The final head (1xx are skipped, but 101). Valid until the connection dies.
    // Error: upstream_reset, upstream_first_byte_timeout, upstream_protocol.
    virtual awaitable<result<response_head*>> receive_head(std::string_view method,
                                                           std::chrono::milliseconds timeout) = 0;
    // The next piece; waits at most `timeout` for it. Error: upstream_reset, upstream_idle_timeout,
    // upstream_protocol.
    virtual awaitable<result<body_piece>> receive(std::chrono::milliseconds timeout) = 0;
    // receive() where nothing must be waited for, without a frame. Nothing: receive() must be called.
    virtual std::optional<result<body_piece>> receive_now() { return std::nullopt; }
    // Would receive() return without waiting? Views of the last piece die.
    virtual bool buffered() = 0;
    // Has the upstream sent anything that was not read yet (an early answer to a request still being sent)?
    virtual bool answered() = 0;

    virtual bool reused() const = 0;  // came from the pool, so it may have gone stale
    // Did any byte of this response arrive?
    virtual bool got_bytes() const = 0;
};

enum class reuse : std::uint8_t { allowed, never };

// The connections of one worker.
class upstream_pool {
public:
    // A connection that waits in the pool; null when there is none. open() without a frame where one is enough.
    virtual std::unique_ptr<upstream_connection> pooled(const upstream_endpoint&) { return nullptr; }
    // A pooled connection or a new one (name resolved, connected, TLS done).
    // Error: upstream_dns, upstream_connect(_timeout), upstream_tls(_timeout), upstream_forbidden.
    virtual awaitable<result<std::unique_ptr<upstream_connection>>> open(const upstream_endpoint& e, reuse pooled) = 0;

protected:
    ~upstream_pool() = default;
};

}  // namespace sluice
