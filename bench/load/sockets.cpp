#include "sockets.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <system_error>
#include <utility>

namespace sluice::bench {
namespace {

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

int must(int value, const char* what) {
    if (value < 0) fail(what);
    return value;
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

void switch_on(int fd, int level, int option) {
    const int one = 1;
    must(::setsockopt(fd, level, option, &one, sizeof one), "setsockopt");
}

descriptor connect_with(int flags, std::uint16_t port) {
    descriptor socket{must(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), "socket")};
    switch_on(socket.get(), IPPROTO_TCP, TCP_NODELAY);
    const sockaddr_in address = loopback(port);
    const int rc = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    if (rc != 0 && errno != EINPROGRESS) fail("connect");
    return socket;
}

transfer outcome(ssize_t n) {
    if (n > 0) return {.bytes = static_cast<std::size_t>(n)};
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return {.would_block = true};
    return {.closed = true};
}

}  // namespace

std::int64_t now_ns() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

descriptor& descriptor::operator=(descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

descriptor::~descriptor() {
    if (fd_ >= 0) ::close(fd_);
}

int descriptor::release() {
    return std::exchange(fd_, -1);
}

descriptor listen_on(std::uint16_t port) {
    descriptor socket{must(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket")};
    switch_on(socket.get(), SOL_SOCKET, SO_REUSEADDR);
    const sockaddr_in address = loopback(port);
    must(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
    must(::listen(socket.get(), 4096), "listen");
    return socket;
}

descriptor accept_from(int listener) {
    descriptor socket{::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (socket) {
        switch_on(socket.get(), IPPROTO_TCP, TCP_NODELAY);
    } else if (errno == EMFILE || errno == ENFILE) {
        fail("accept");  // a bench that silently loses connections would report nonsense
    }
    return socket;
}

descriptor begin_connect(std::uint16_t port) {
    return connect_with(SOCK_NONBLOCK, port);
}

descriptor connect_to(std::uint16_t port) {
    descriptor socket = connect_with(0, port);
    const int flags = must(::fcntl(socket.get(), F_GETFL), "fcntl");
    must(::fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK), "fcntl");
    return socket;
}

void reset_on_close(int fd) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    must(::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), "setsockopt");
}

transfer read_some(int fd, std::span<char> into) {
    return outcome(::recv(fd, into.data(), into.size(), 0));
}

transfer write_some(int fd, std::string_view bytes) {
    return outcome(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL));
}

poller::poller() : set_(must(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {}

void poller::add(int fd, std::uint64_t tag) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.u64 = tag;
    must(::epoll_ctl(set_.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

std::span<const epoll_event> poller::wait(std::optional<std::chrono::nanoseconds> timeout) {
    timespec limit{};
    if (timeout) {
        const auto ns = std::max<std::int64_t>(timeout->count(), 0);
        limit.tv_sec = ns / 1'000'000'000;
        limit.tv_nsec = ns % 1'000'000'000;
    }
    const int n = ::epoll_pwait2(set_.get(), events_.data(), static_cast<int>(events_.size()),
                                 timeout ? &limit : nullptr, nullptr);
    if (n < 0 && errno != EINTR) fail("epoll_pwait2");
    return {events_.data(), static_cast<std::size_t>(std::max(n, 0))};
}

void use_precise_sleep() {
    ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

}  // namespace sluice::bench
