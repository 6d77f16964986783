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

// Dropping the connection gives it back to its pool when request and response are complete and both
// sides keep it alive, and closes it otherwise: that is how an abort reaches the upstream.
class upstream_connection {
public:
    virtual ~upstream_connection() = default;

    // Writes the pieces in order, as few system calls as the kernel allows. `first` pieces of a request
    // hold its head. Error: upstream_reset, upstream_idle_timeout (the upstream does not read).
    virtual awaitable<result<void>> send(std::span<const std::string_view> pieces,
                                         std::chrono::milliseconds timeout) = 0;
    // The request is complete. Until this is said, the connection is not reused.
    virtual void request_sent() = 0;

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
