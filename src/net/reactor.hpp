// The event loop of a worker: an edge-triggered epoll set of its sockets, in which its io_context waits too.
//
// Asio would spend one failed recv per read and re-arm a timer per operation; here a descriptor is
// registered once for its life, and deadlines live on a coarse wheel. Everything else (DNS, background
// services, posts from other threads) stays on the io_context, whose own epoll set is one descriptor of ours: one
// epoll_wait serves both. One per worker; not thread-safe.
#pragma once

#include "net/timer_wheel.hpp"
#include "net/unique_fd.hpp"

#include <sluice/awaitable.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <vector>

namespace sluice::net {

// Something with a descriptor. Told of each edge: EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR.
class pollable {
public:
    virtual void on_events(std::uint32_t events) = 0;  // may destroy the pollable

protected:
    ~pollable() = default;
};

class reactor {
public:
    static constexpr std::size_t put_off_max = 8 * 1024;

    // Before anything else uses the context's descriptors or timers; the context outlives the reactor.
    explicit reactor(boost::asio::io_context& context);
    ~reactor();
    reactor(const reactor&) = delete;
    reactor& operator=(const reactor&) = delete;

    // Starts watching and ticking; until stop() the io_context does not run out of work.
    void start();
    void stop();

    // Registers for every kind of event for as long as the descriptor lives.
    // False: the kernel refused (out of memory or watches).
    bool add(int fd, pollable& p);
    // Level-triggered and for reading only: for listeners.
    bool add_listener(int fd, pollable& p);
    void remove(int fd, pollable& p);

    timer_wheel& timers() { return timers_; }
    boost::asio::io_context& context() { return context_; }
    boost::asio::io_context::executor_type executor() { return context_.get_executor(); }
    // Should a write of so many bytes wait until the other events of this turn were told? Then it comes together with
    // theirs and a peer is woken once, where a write per event would wake it for each: under load that is a sixth of
    // the CPU. Much to write goes out at once, while it is in the cache.
    bool put_off(std::size_t bytes) const { return batch_at_ < batch_size_ && bytes <= put_off_max; }
    // Suspends until they were told. Only where put_off() said so.
    awaitable<void> turn_end();
    // Read once per batch of events: cheap, and as fine as deadlines need.
    std::chrono::steady_clock::time_point now() const { return now_; }

private:
    using turn_handler = boost::asio::async_result<boost::asio::use_awaitable_t<>, void()>::handler_type;
    class wait_task;  // stands where the io_context has its own wait
    // Waits, and tells the sockets of their events. True: the io_context has events too. `usec` < 0: until some.
    bool wait(long usec);
    int patience(long usec) const;  // ms until the next tick at most
    void end_turn(std::exception_ptr& thrown);

    boost::asio::io_context& context_;
    unique_fd epoll_;
    wait_task* task_ = nullptr;  // owned by the context
    std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_;
    std::chrono::steady_clock::time_point now_, next_tick_;
    timer_wheel timers_;
    std::vector<turn_handler> waiting_, ending_;  // for the end of the turn
    std::array<epoll_event, 256> batch_{};
    int batch_at_ = 0, batch_size_ = 0;
};

}  // namespace sluice::net
