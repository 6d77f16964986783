// A connected socket, plain or TLS: try first, wait only when the kernel has nothing.
//
// read_some() and write_some() never block and are plain functions, since most of the time they succeed.
// readable() and writable() suspend until an edge or a deadline. Belongs to one worker. At most one
// coroutine waits for each direction.
#pragma once

#include "net/reactor.hpp"
#include "net/tls_handles.hpp"
#include "net/unique_fd.hpp"

#include <sluice/awaitable.hpp>
#include <sluice/result.hpp>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sluice::net {

enum class io_status : std::uint8_t { ok, again, eof, failed };
struct io_result {
    io_status status = io_status::ok;
    std::size_t bytes = 0;
};

enum class ready : std::uint8_t { yes, timeout };

class stream final : private pollable {
public:
    stream(reactor& r, unique_fd fd);
    ~stream();
    stream(const stream&) = delete;
    stream& operator=(const stream&) = delete;

    // Runs the TLS handshake; SSL_set_accept_state or SSL_set_connect_state was called on it.
    // Error: upstream_tls, upstream_tls_timeout (the caller knows which side it is).
    awaitable<result<void>> handshake(ssl_ptr ssl, std::chrono::milliseconds timeout);
    SSL* ssl() const { return ssl_.get(); }

    // Reads what is there. `again`: nothing; wait for readable().
    io_result read_some(std::span<char> into);
    // Writes the pieces as one gather write (TLS: one record at a time), from byte `offset` of
    // all of them together. `again`: the kernel's buffer is full; wait for writable().
    io_result write_some(std::span<const std::string_view> pieces, std::size_t offset);
    // All of it, waiting as long as bytes keep moving; `stall` bounds the time without progress.
    // ok, eof never, failed: the connection broke; again: stalled.
    awaitable<io_status> write_all(std::span<const std::string_view> pieces, std::chrono::milliseconds stall);

    // Throws when the waiting coroutine is cancelled.
    awaitable<ready> readable(std::chrono::milliseconds timeout);
    awaitable<ready> writable(std::chrono::milliseconds timeout);

    // The peer is gone or has said it will send no more. Known without reading.
    bool hung_up() const { return hung_up_; }
    // Something may have arrived that was not read. An idle pooled connection with it is stale.
    bool may_read() const { return can_read_ || (ssl_ && SSL_pending(ssl_.get()) > 0); }
    // Open, and nothing has arrived: what an idle pooled connection must be. Costs a system call only
    // after an edge.
    bool quiet();
    // Called once when the peer hangs up while nobody waits for reading; null: nobody is interested.
    void watch_hang_up(void (*callback)(void*), void* context) {
        on_hang_up_ = callback;
        hang_up_context_ = context;
    }

    int fd() const { return fd_.get(); }
    reactor& owner() { return reactor_; }
    // Sends FIN (TLS: close_notify first, as far as it goes without waiting).
    void shutdown_write();
    // The next close sends RST instead of FIN: the peer learns at once that the body is not complete.
    void reset_on_close();

private:
    using handler =
        boost::asio::async_result<boost::asio::use_awaitable_t<>, void(std::exception_ptr, ready)>::handler_type;
    // One direction: who waits for it, and until when.
    class waiter final : public timer_node {
    public:
        void start(stream& owner, handler h, std::chrono::milliseconds timeout);
        bool waiting() const { return handler_.has_value(); }
        std::optional<handler> take();
        void complete(ready how);  // may destroy the stream
        void cancel();

    private:
        void expired() override { complete(ready::timeout); }
        std::optional<handler> handler_;
        boost::asio::cancellation_slot slot_;
        reactor* reactor_ = nullptr;
    };

    void on_events(std::uint32_t events) override;
    awaitable<ready> wait(waiter& w, const bool& flag, std::chrono::milliseconds timeout);
    io_result read_tls(std::span<char> into);
    io_result write_tls(std::span<const std::string_view> pieces, std::size_t offset);
    io_result tls_outcome(int returned);

    reactor& reactor_;
    unique_fd fd_;
    ssl_ptr ssl_;
    waiter reader_, writer_;
    bool can_read_ = true, can_write_ = true;
    bool hung_up_ = false;
    bool read_wants_write_ = false;  // TLS: the read can go on only after a write
    void (*on_hang_up_)(void*) = nullptr;
    void* hang_up_context_ = nullptr;
};

}  // namespace sluice::net
