// Waits for something that happens on the same thread.
#pragma once

#include <sluice/awaitable.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>

namespace sluice::net {

// A ring is not kept for who comes later: look first at what is waited for, then wait, then look again. One waits at a
// time.
class bell {
public:
    explicit bell(const boost::asio::any_io_executor& worker) : timer_(worker) {}
    void ring() { timer_.cancel(); }
    // Until it rings or the time comes. Throws when the caller is cancelled.
    awaitable<void> wait(std::chrono::steady_clock::time_point until) {
        namespace asio = boost::asio;
        timer_.expires_at(until);
        [[maybe_unused]] const auto ended = co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none)
            throw boost::system::system_error(asio::error::operation_aborted);
    }

private:
    boost::asio::steady_timer timer_;
};

}  // namespace sluice::net
