#include "net/reactor.hpp"

#include <boost/asio/detail/epoll_reactor.hpp>
#include <boost/asio/detail/reactor_op.hpp>

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

// Asio's public wait for a descriptor costs an epoll_ctl each time it is armed. Its own signal handling uses an
// operation that stays armed instead: perform() says not_done after it has done its work. This is the same
// thing for our set. It is Asio's inside (1.26, the version this builds with), kept to these lines.
class reactor::nesting {
public:
    explicit nesting(reactor& owner)
        : asio_(boost::asio::use_service<boost::asio::detail::epoll_reactor>(owner.context_)), fd_(owner.epoll_.get()) {
        asio_.init_task();
        const int failed = asio_.register_internal_descriptor(boost::asio::detail::epoll_reactor::read_op, fd_, data_,
                                                              new operation(owner));
        if (failed != 0) throw std::system_error(failed, std::generic_category(), "epoll_ctl");
    }
    ~nesting() {
        asio_.deregister_internal_descriptor(fd_, data_);  // completes the operation, which deletes it
        asio_.cleanup_descriptor_data(data_);
    }
    nesting(const nesting&) = delete;
    nesting& operator=(const nesting&) = delete;

private:
    class operation final : public boost::asio::detail::reactor_op {
    public:
        explicit operation(reactor& owner) : reactor_op({}, &do_perform, &do_complete), owner_(owner) {}

    private:
        static status do_perform(reactor_op* base) {
            static_cast<operation*>(base)->owner_.dispatch();
            return not_done;
        }
        static void do_complete(void*, boost::asio::detail::operation* base, const boost::system::error_code&, std::size_t) {
            delete static_cast<operation*>(base);
        }
        reactor& owner_;
    };

    boost::asio::detail::epoll_reactor& asio_;
    int fd_;
    boost::asio::detail::epoll_reactor::per_descriptor_data data_{};
};

reactor::reactor(boost::asio::io_context& context)
    : context_(context), epoll_(make_epoll()), ticker_(context), now_(std::chrono::steady_clock::now()), timers_(now_) {}

reactor::~reactor() = default;

void reactor::start() {
    stopped_ = false;
    nesting_ = std::make_unique<nesting>(*this);
    tick();
}

void reactor::stop() {
    stopped_ = true;
    ticker_.cancel();
}

bool reactor::add(int fd, pollable& p) {
    epoll_event e{};
    e.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    e.data.ptr = &p;
    return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &e) == 0;
}

bool reactor::add_listener(int fd, pollable& p) {
    epoll_event e{};
    e.events = EPOLLIN;
    e.data.ptr = &p;
    return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &e) == 0;
}

void reactor::remove(int fd, pollable& p) {
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    // Its events that were fetched but not handled yet must not reach a dead object.
    for (int i = batch_at_; i < batch_size_; ++i) {
        if (batch_[static_cast<std::size_t>(i)].data.ptr == &p) batch_[static_cast<std::size_t>(i)].data.ptr = nullptr;
    }
}

void reactor::dispatch() {
    // Nested edge-triggered: what is not fetched now would not be announced again.
    do {
        now_ = std::chrono::steady_clock::now();
        batch_size_ = ::epoll_wait(epoll_.get(), batch_.data(), static_cast<int>(batch_.size()), 0);
        const bool full = batch_size_ == static_cast<int>(batch_.size());
        for (batch_at_ = 0; batch_at_ < batch_size_;) {
            const epoll_event e = batch_[static_cast<std::size_t>(batch_at_++)];
            if (e.data.ptr != nullptr) static_cast<pollable*>(e.data.ptr)->on_events(e.events);
        }
        batch_at_ = batch_size_ = 0;
        if (!full) break;
    } while (!stopped_);
}

void reactor::tick() {
    ticker_.expires_after(timer_wheel::tick);
    ticker_.async_wait([this](const boost::system::error_code& ec) {
        if (ec || stopped_) return;
        now_ = std::chrono::steady_clock::now();
        timers_.advance(now_);
        dispatch();  // a listener that left connections in its queue has no edge to come
        if (!stopped_) tick();
    });
}

}  // namespace sluice::net
