#include "net/tunnel.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <exception>
#include <memory>

namespace sluice::net {
namespace {

namespace asio = boost::asio;

// The directions wait for their sockets as long as it takes: run_tunnel() is the one that watches the time.
constexpr std::chrono::milliseconds forever = std::chrono::hours(24 * 365);

// Shared by both directions, which run on one worker.
struct activity {
    activity(const asio::any_io_executor& ex, std::chrono::steady_clock::time_point now) : wake(ex), last(now) {}
    asio::steady_timer wake;  // cancelled when a direction ends
    std::chrono::steady_clock::time_point last;
    bool broken = false;
};

// One direction as a coroutine of its own, with a way to stop it.
struct direction {
    asio::cancellation_signal stop;
    bool done = false;
};

// Whether more may follow.
awaitable<bool> pass(tunnel_end& from, tunnel_end& to, std::string_view bytes, activity& shared) {
    tunnel_gate::verdict v{bytes.size(), false};
    if (from.gate != nullptr) v = from.gate->see(bytes);
    if (v.pass > 0) {
        const std::array<std::string_view, 1> piece{bytes.substr(0, v.pass)};
        from.half_passed = true;  // before the await, which may throw instead of returning
        const io_status sent = co_await to.socket.write_all(piece, forever);
        if (sent != io_status::ok) {
            to.why = tunnel_stop::broken;
            co_return false;
        }
        from.half_passed = false;
        from.bytes += v.pass;
        shared.last = from.socket.owner().now();
    }
    if (v.stop) from.why = tunnel_stop::gate;
    co_return !v.stop;
}

// Until the source ends, or something breaks.
awaitable<void> pump(tunnel_end& from, tunnel_end& to, buffer_pool& buffers, activity& shared) {
    bool passed = true;
    if (!from.early.empty()) passed = co_await pass(from, to, from.early, shared);
    while (passed) {
        buffer b = buffers.acquire();
        if (!b) {
            from.why = tunnel_stop::starved;
            break;
        }
        const io_result r = from.socket.read_some(b.space());
        if (r.status == io_status::ok) {
            b.commit(r.bytes);
            passed = co_await pass(from, to, b.data(), shared);
        } else if (r.status == io_status::again) {
            b.release();
            co_await from.socket.readable(forever);
        } else if (r.status == io_status::eof) {
            shared.last = from.socket.owner().now();
            from.why = tunnel_stop::finished;
            if (from.gate != nullptr && !from.gate->may_end()) break;
            to.socket.shutdown_write();
            co_return;
        } else {
            from.why = tunnel_stop::broken;
            break;
        }
    }
    shared.broken = true;
}

// Until both directions ended, or should be ended.
awaitable<void> watch(activity& shared, const direction& up, const direction& down, std::chrono::milliseconds idle,
                      std::chrono::milliseconds grace) {
    while (!shared.broken && !(up.done && down.done)) {
        const auto until = shared.last + (up.done || down.done ? grace : idle);
        if (std::chrono::steady_clock::now() >= until) co_return;
        boost::system::error_code ignored;
        shared.wake.expires_at(until);
        co_await shared.wake.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
}

}  // namespace

awaitable<void> run_tunnel(tunnel_end& client, tunnel_end& upstream, buffer_pool& buffers,
                           std::chrono::milliseconds idle, std::chrono::milliseconds grace) {
    const asio::any_io_executor executor = client.socket.owner().executor();
    activity shared(executor, client.socket.owner().now());
    const auto up = std::make_shared<direction>();
    const auto down = std::make_shared<direction>();
    // What they throw is their cancellation. What they refer to stays: the end of both is waited for below.
    const auto ended = [&shared](const std::shared_ptr<direction>& which) {
        return asio::bind_cancellation_slot(which->stop.slot(), [&shared, which](const std::exception_ptr&) {
            which->done = true;
            shared.wake.cancel();
        });
    };
    asio::co_spawn(executor, pump(client, upstream, buffers, shared), ended(up));
    asio::co_spawn(executor, pump(upstream, client, buffers, shared), ended(down));

    std::exception_ptr aborted;
    try {
        co_await watch(shared, *up, *down, idle, grace);
    } catch (const boost::system::system_error&) {
        aborted = std::current_exception();
    }
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    for (const auto& each : {up, down}) {
        if (!each->done) each->stop.emit(asio::cancellation_type::terminal);
    }
    while (!(up->done && down->done)) {
        boost::system::error_code ignored;
        shared.wake.expires_at(asio::steady_timer::time_point::max());
        co_await shared.wake.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    if (aborted) std::rethrow_exception(aborted);
}

}  // namespace sluice::net
