#include "net/reactor.hpp"

#include <cerrno>
#include <system_error>

namespace sluice::net {
namespace {

int make_epoll() {
    const int fd = ::epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
    return fd;
}

}  // namespace

reactor::reactor(boost::asio::io_context& context)
    : context_(context),
      epoll_(context, make_epoll()),
      ticker_(context),
      now_(std::chrono::steady_clock::now()),
      timers_(now_) {}

void reactor::start() {
    stopped_ = false;
    wait();
    tick();
}

void reactor::stop() {
    stopped_ = true;
    epoll_.cancel();
    ticker_.cancel();
}

bool reactor::add(int fd, pollable& p) {
    epoll_event e{};
    e.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    e.data.ptr = &p;
    return ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, fd, &e) == 0;
}

bool reactor::add_listener(int fd, pollable& p) {
    epoll_event e{};
    e.events = EPOLLIN;
    e.data.ptr = &p;
    return ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, fd, &e) == 0;
}

void reactor::remove(int fd, pollable& p) {
    ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_DEL, fd, nullptr);
    // Its events that were fetched but not handled yet must not reach a dead object.
    for (int i = batch_at_; i < batch_size_; ++i) {
        if (batch_[static_cast<std::size_t>(i)].data.ptr == &p) batch_[static_cast<std::size_t>(i)].data.ptr = nullptr;
    }
}

void reactor::wait() {
    epoll_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& ec) {
        if (ec || stopped_) return;
        dispatch();
        if (!stopped_) wait();
    });
}

void reactor::dispatch() {
    now_ = std::chrono::steady_clock::now();
    // One batch per turn, so that posts and timers of this worker get their turn as well; what is left
    // makes the set readable again at once.
    batch_size_ = ::epoll_wait(epoll_.native_handle(), batch_.data(), static_cast<int>(batch_.size()), 0);
    for (batch_at_ = 0; batch_at_ < batch_size_;) {
        const epoll_event e = batch_[static_cast<std::size_t>(batch_at_++)];
        if (e.data.ptr != nullptr) static_cast<pollable*>(e.data.ptr)->on_events(e.events);
    }
    batch_at_ = batch_size_ = 0;
}

void reactor::tick() {
    ticker_.expires_after(timer_wheel::tick);
    ticker_.async_wait([this](const boost::system::error_code& ec) {
        if (ec || stopped_) return;
        now_ = std::chrono::steady_clock::now();
        timers_.advance(now_);
        if (!stopped_) tick();
    });
}

}  // namespace sluice::net
