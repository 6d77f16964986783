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

    // Runs the TLS handshake; SSL_set_accept_state or SSL_set_connect_state was called on it. `peer` names the
    // other side in errors. Error: upstream_tls, upstream_tls_timeout (the caller knows which side it is).
    awaitable<result<void>> handshake(ssl_ptr ssl, std::string_view peer, std::chrono::milliseconds timeout);
    SSL* ssl() const { return ssl_.get(); }

    // Reads what is there. `again`: nothing; wait for readable().
    io_result read_some(std::span<char> into);
    // Writes the pieces as one gather write (TLS: one record at a time), from byte `offset` of
    // all of them together. `again`: the kernel's buffer is full; wait for writable().
    io_result write_some(std::span<const std::string_view> pieces, std::size_t offset);
    // All of it from byte `offset` on, waiting as long as bytes keep moving; `stall` bounds the time without progress.
    // ok, eof never, failed: the connection broke; again: stalled.
    awaitable<io_status> write_all(std::span<const std::string_view> pieces, std::chrono::milliseconds stall,
                                   std::size_t offset = 0);

    // Only after read_some() or write_some() said `again`. Throws when the waiting coroutine is cancelled.
    awaitable<ready> readable(std::chrono::milliseconds timeout) { return wait(reader_, &stream::read_ready, timeout); }
    awaitable<ready> writable(std::chrono::milliseconds timeout) {
        return wait(writer_, &stream::write_ready, timeout);
    }
    // Ends a wait in readable() now, as if its time were over. The coroutine runs before this returns.
    void end_readable() { reader_.complete(ready::timeout); }
    void end_writable() { writer_.complete(ready::timeout); }  // likewise

    // The peer is gone or has said it will send no more. Known without reading.
    bool hung_up() const { return hung_up_; }
    // Something may have arrived that was not read: in the socket, or in what TLS read ahead.
    bool may_read() const { return can_read_ || (ssl_ && SSL_has_pending(ssl_.get()) == 1); }
    // Open, and nothing has arrived: what an idle pooled connection must be. Costs a system call only
    // after an edge.
    bool quiet();
    // Called once when the peer hangs up from now on (see hung_up() for before), whoever else waits; null: nobody
    // is interested. It must not destroy the stream.
    void watch_hang_up(void (*callback)(void*), void* context) {
        on_hang_up_ = callback;
        hang_up_context_ = context;
    }

    int fd() const { return fd_.get(); }
    reactor& owner() { return reactor_; }
    // Sends FIN (TLS: close_notify first, as far as it goes without waiting). Not after reset_on_close().
    void shutdown_write();
    // The close sends RST instead of FIN: the peer learns at once that the body is not complete.
    void reset_on_close();
    bool resets() const { return resets_; }

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
    awaitable<ready> wait(waiter& w, bool (stream::*may_go_on)() const, std::chrono::milliseconds timeout);
    bool read_ready() const { return read_wants_write_ ? can_write_ : can_read_; }
    bool write_ready() const { return write_wants_read_ ? can_read_ : can_write_; }
    io_result read_tls(std::span<char> into);
    io_result write_tls(std::span<const std::string_view> pieces, std::size_t offset);

    reactor& reactor_;
    unique_fd fd_;
    ssl_ptr ssl_;
    waiter reader_, writer_;
    bool can_read_ = true, can_write_ = true;
    bool hung_up_ = false, resets_ = false;
    // TLS may have to say something before it can read on, and to hear something before it can write on.
    bool read_wants_write_ = false, write_wants_read_ = false;
    void (*on_hang_up_)(void*) = nullptr;
    void* hang_up_context_ = nullptr;
};

}  // namespace sluice::net
