#include "stages/route/queue_wait.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace sluice::route {

namespace asio = boost::asio;

struct queue_wait::sleeper {
    explicit sleeper(const asio::any_io_executor& worker) : timer(worker) {}
    asio::steady_timer timer;
    bool woken = false;
};

queue_wait::queue_wait(const asio::any_io_executor& worker) : sleeper_(std::make_shared<sleeper>(worker)) {}

void queue_wait::wake(admission::waiting&) noexcept {
    asio::post(sleeper_->timer.get_executor(), [weak = std::weak_ptr(sleeper_)] {
        const auto s = weak.lock();
        if (!s) return;
        s->woken = true;
        s->timer.cancel();
    });
}

awaitable<bool> queue_wait::wait(std::chrono::steady_clock::time_point until) {
    sleeper& s = *sleeper_;
    if (!s.woken) {
        s.timer.expires_at(until);
        [[maybe_unused]] const auto ended = co_await s.timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    co_return std::exchange(s.woken, false);
}

}  // namespace sluice::route
