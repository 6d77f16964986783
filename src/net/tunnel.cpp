#include "net/tunnel.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <memory>

namespace sluice::net {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// Shared by both directions, which run on one worker.
struct activity {
    std::chrono::steady_clock::time_point last;
    std::chrono::milliseconds idle, grace;
    bool half_closed = false;
    bool broken = false;

    std::chrono::milliseconds patience(std::chrono::steady_clock::time_point now) const {
        const auto limit = half_closed ? grace : idle;
        return std::max(1ms, std::chrono::duration_cast<std::chrono::milliseconds>(last + limit - now));
    }
    bool expired(std::chrono::steady_clock::time_point now) const { return now - last >= (half_closed ? grace : idle); }
};

// One direction, until its source ends or something breaks.
awaitable<void> pump(tunnel_end& from, tunnel_end& to, buffer_pool& buffers, activity& shared) {
    reactor& loop = from.socket.owner();
    if (!from.early.empty()) {
        const std::array<std::string_view, 1> early{from.early};
        const io_status sent = co_await to.socket.write_all(early, shared.idle);
        if (sent != io_status::ok) {
            shared.broken = true;
            co_return;
        }
        from.bytes += from.early.size();
    }
    for (;;) {
        if (shared.broken) co_return;
        buffer b = buffers.acquire();
        if (!b) {
            shared.broken = true;
            co_return;
        }
        const io_result r = from.socket.read_some(b.space());
        if (r.status == io_status::ok) {
            b.commit(r.bytes);
            from.bytes += r.bytes;
            shared.last = loop.now();
            const std::array<std::string_view, 1> piece{b.data()};
            const io_status sent = co_await to.socket.write_all(piece, shared.idle);
            if (sent == io_status::ok) continue;
            shared.broken = true;
            co_return;
        }
        if (r.status == io_status::eof) {
            shared.half_closed = true;
            shared.last = loop.now();
            to.socket.shutdown_write();
            co_return;
        }
        if (r.status == io_status::failed) {
            shared.broken = true;
            co_return;
        }
        b.release();
        const ready how = co_await from.socket.readable(shared.patience(loop.now()));
        if (how == ready::timeout && shared.expired(loop.now())) {
            shared.broken = true;
            co_return;
        }
    }
}

// The other direction as a coroutine of its own, with a way to stop it and to wait for its end.
struct companion {
    explicit companion(const asio::any_io_executor& ex) : ended(ex, asio::steady_timer::time_point::max()) {}
    asio::cancellation_signal stop;
    asio::steady_timer ended;  // cancelled at the end
    bool done = false;
};

awaitable<void> wait_for(companion& other) {
    while (!other.done) {
        boost::system::error_code ignored;
        co_await other.ended.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
}

}  // namespace

awaitable<void> run_tunnel(tunnel_end& client, tunnel_end& upstream, buffer_pool& buffers, std::chrono::milliseconds idle,
                           std::chrono::milliseconds grace) {
    activity shared{client.socket.owner().now(), idle, grace};
    const auto executor = client.socket.owner().executor();
    auto other = std::make_shared<companion>(executor);
    asio::co_spawn(executor, pump(upstream, client, buffers, shared),
                   asio::bind_cancellation_slot(other->stop.slot(), [other](const std::exception_ptr&) {
                       other->done = true;
                       other->ended.cancel();
                   }));
    std::exception_ptr aborted;
    try {
        co_await pump(client, upstream, buffers, shared);
        if (!shared.broken) co_await wait_for(*other);
    } catch (const boost::system::system_error&) {
        aborted = std::current_exception();
    }
    if (aborted) co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    if (!other->done) other->stop.emit(asio::cancellation_type::terminal);
    co_await wait_for(*other);
    if (aborted) std::rethrow_exception(aborted);
}

}  // namespace sluice::net
