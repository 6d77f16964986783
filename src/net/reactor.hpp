// Readiness of a worker's sockets: an edge-triggered epoll set nested in its io_context as one descriptor.
//
// Asio would spend one failed recv per read and re-arm a timer per operation; here a descriptor is
// registered once for its life, and deadlines live on a coarse wheel. Everything else (DNS, background
// services, posts from other threads) stays on the same io_context. One per worker; not thread-safe.
#pragma once

#include "net/timer_wheel.hpp"
#include "net/unique_fd.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>

#include <sys/epoll.h>

#include <array>
#include <cstdint>

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
    // Read once per batch of events: cheap, and as fine as deadlines need.
    std::chrono::steady_clock::time_point now() const { return now_; }

private:
    class nesting;  // our set as a descriptor of the io_context's own
    void dispatch();
    void tick();

    boost::asio::io_context& context_;
    unique_fd epoll_;
    std::unique_ptr<nesting> nesting_;
    boost::asio::steady_timer ticker_;
    std::chrono::steady_clock::time_point now_;
    timer_wheel timers_;
    std::array<epoll_event, 256> batch_{};
    int batch_at_ = 0, batch_size_ = 0;
    bool stopped_ = true;
};

}  // namespace sluice::net
