#include "net/reactor.hpp"

#include <boost/asio/detail/epoll_reactor.hpp>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <memory>
#include <system_error>

namespace sluice::net {
namespace {

using boost::asio::detail::epoll_reactor;

// Asio keeps its descriptor to itself. An explicit instantiation may name a private member.
template <int epoll_reactor::* Descriptor>
struct opened {
    friend int epoll_of(const epoll_reactor& r) { return r.*Descriptor; }
};
int epoll_of(const epoll_reactor& r);
template struct opened<&epoll_reactor::epoll_fd_>;

// Who waits for the end of a turn holds buffers: more of them would be out of the cache when they go on.
constexpr std::size_t together_max = 32;

int make_epoll() {
    const int fd = ::epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
    return fd;
}

}  // namespace

// Asio asks its context for the epoll_reactor and calls it through a virtual run(): the one found here waits in our
// set instead. This is Asio's inside (1.26, the version this builds with), kept to these lines.
class reactor::wait_task final : public epoll_reactor {
public:
    explicit wait_task(boost::asio::io_context& context) : epoll_reactor(context) {}
    void run(long usec, boost::asio::detail::op_queue<boost::asio::detail::scheduler_operation>& ops) override {
        if (owner == nullptr) {
            epoll_reactor::run(usec, ops);
        } else if (owner->wait(usec)) {
            epoll_reactor::run(0, ops);
        }
    }
    reactor* owner = nullptr;
};

reactor::reactor(boost::asio::io_context& context)
    : context_(context), epoll_(make_epoll()), now_(std::chrono::steady_clock::now()), next_tick_(now_), timers_(now_) {
    auto task = std::make_unique<wait_task>(context);
    boost::asio::add_service<epoll_reactor>(context, task.get());  // throws when there is one already
    task_ = task.release();
    epoll_event e{};
    e.events = EPOLLIN;  // level-triggered; no pollable is null
    const bool added = ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, epoll_of(*task_), &e) == 0;
    if (!added) throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    task_->owner = this;
    task_->init_task();
}

reactor::~reactor() {
    task_->owner = nullptr;
}

void reactor::start() {
    work_.emplace(context_.get_executor());
}

void reactor::stop() {
    work_.reset();
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
        epoll_event& e = batch_[static_cast<std::size_t>(i)];
        if (e.data.ptr == &p) e = {};
    }
}

int reactor::patience(long usec) const {
    using std::chrono::ceil, std::chrono::milliseconds, std::chrono::microseconds;
    if (usec == 0) return 0;
    auto until = std::max(next_tick_ - now_, std::chrono::steady_clock::duration{0});
    if (usec > 0) until = std::min<std::chrono::steady_clock::duration>(until, microseconds(usec));
    return static_cast<int>(ceil<milliseconds>(until).count());
}

awaitable<void> reactor::turn_end() {
    return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(
        [this](turn_handler h) { waiting_.push_back(std::move(h)); }, boost::asio::use_awaitable);
}

void reactor::end_turn(std::exception_ptr& thrown) {
    ending_.swap(waiting_);  // whoever goes on may wait again
    for (turn_handler& h : ending_) {
        try {
            h();
        } catch (...) {
            thrown = std::current_exception();
        }
    }
    ending_.clear();
}

bool reactor::wait(long usec) {
    // An edge comes once: what one handler throws must not cost the others theirs.
    std::exception_ptr thrown;
    bool others = false;
    batch_size_ = ::epoll_wait(epoll_.get(), batch_.data(), static_cast<int>(batch_.size()), patience(usec));
    now_ = std::chrono::steady_clock::now();
    for (batch_at_ = 0; batch_at_ < batch_size_;) {
        const epoll_event e = batch_[static_cast<std::size_t>(batch_at_++)];
        if (e.data.ptr == nullptr) {
            others |= e.events != 0;
            continue;
        }
        try {
            static_cast<pollable*>(e.data.ptr)->on_events(e.events);
        } catch (...) {
            thrown = std::current_exception();
        }
        if (waiting_.size() == together_max) end_turn(thrown);
    }
    batch_at_ = batch_size_ = 0;
    end_turn(thrown);
    if (now_ >= next_tick_) {
        next_tick_ = now_ + timer_wheel::tick;
        timers_.advance(now_);
    }
    if (thrown) std::rethrow_exception(thrown);
    return others;
}

}  // namespace sluice::net
