// Non-blocking loopback sockets and an edge-triggered epoll set: all the I/O the bench programs need.
//
// Trouble while setting up (no port, no descriptor left) throws std::system_error and ends the program;
// what happens to a connection afterwards is reported by value.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace sluice::bench {

// CLOCK_MONOTONIC in nanoseconds: the same clock in every process of the machine, so that a stamp
// written by the upstream can be subtracted by the load generator.
std::int64_t now_ns();

// Owns one file descriptor.
class descriptor {
public:
    descriptor() = default;
    explicit descriptor(int fd) : fd_(fd) {}
    descriptor(descriptor&& other) noexcept : fd_(other.release()) {}
    descriptor& operator=(descriptor&& other) noexcept;
    ~descriptor();

    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    int release();

private:
    int fd_ = -1;
};

descriptor listen_on(std::uint16_t port);

// The next waiting connection, non-blocking and without Nagle; empty when none waits.
descriptor accept_from(int listener);

// Starts to connect and returns at once; the first writable edge tells that it is done.
descriptor begin_connect(std::uint16_t port);

// Connected when it returns, non-blocking from then on.
descriptor connect_to(std::uint16_t port);

// Close with a reset: thousands of connections per round would else linger in TIME_WAIT and use up the
// ephemeral ports of the next rounds.
void reset_on_close(int fd);

// What one read or write did. `bytes` may be 0 with neither flag only for an empty buffer.
struct transfer {
    std::size_t bytes = 0;
    bool would_block = false;
    bool closed = false;  // end of stream or an error: this direction is over
};

transfer read_some(int fd, std::span<char> into);
transfer write_some(int fd, std::string_view bytes);

// One epoll set. A descriptor is registered once, edge-triggered for both directions, and leaves the set
// when it is closed.
class poller {
public:
    poller();

    void add(int fd, std::uint64_t tag);

    // Waits at most `timeout` (none: for ever). The span is valid until the next call.
    std::span<const epoll_event> wait(std::optional<std::chrono::nanoseconds> timeout);

private:
    descriptor set_;
    std::array<epoll_event, 512> events_{};
};

// Lets sleeps end within microseconds of the time asked for instead of the default 50.
void use_precise_sleep();

}  // namespace sluice::bench
