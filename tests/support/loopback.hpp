// Connections within the test process: a worker's loop on one side, the test by hand on the other.
//
//   net_testing::worker_loop w;
//   auto [ours, theirs] = net_testing::tcp_pair();
//   net::stream s(w.loop, std::move(ours));
//   net_testing::hand client(w.io, std::move(theirs));
//   client.send("hello");
//   CHECK(client.receive(5) == "world");
#pragma once

#include "net/buffer_pool.hpp"
#include "net/reactor.hpp"
#include "net/unique_fd.hpp"
#include "support/net_testing.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::net_testing {

// What a worker has, on the test's own thread.
struct worker_loop {
    explicit worker_loop(std::size_t budget_bytes = 64u << 20) : budget(budget_bytes) { loop.start(); }
    ~worker_loop() {
        loop.stop();
        io.restart();
        io.poll();
    }
    worker_loop(const worker_loop&) = delete;
    worker_loop& operator=(const worker_loop&) = delete;

    boost::asio::io_context io{1};
    net::reactor loop{io};
    net::byte_budget budget;
    net::buffer_pool buffers{budget};

    template <class Done>
    void until(Done done) {
        run_until(io, done);
    }
    // Runs what is due now, and what that starts.
    void settle() {
        if (io.stopped()) io.restart();
        for (int i = 0; i < 3; ++i) io.run_for(std::chrono::milliseconds(1));
    }
};

// A coroutine under way, which can be cancelled.
template <class T>
struct started : std::enable_shared_from_this<started<T>> {
    explicit started(boost::asio::io_context& context) : io(context) {}
    boost::asio::io_context& io;
    std::optional<T> value;
    std::exception_ptr thrown;
    bool done = false;
    boost::asio::cancellation_signal stop;
    // On the loop, as whoever cancels in the gateway does: from outside of it Asio posts the signal's bare address,
    // and the signal may be gone when that is its turn.
    void cancel() {
        boost::asio::dispatch(io, [self = this->shared_from_this()] {
            if (!self->done) self->stop.emit(boost::asio::cancellation_type::terminal);
        });
    }
};

template <class T>
std::shared_ptr<started<T>> start(boost::asio::io_context& io, awaitable<T> work) {
    auto s = std::make_shared<started<T>>(io);
    boost::asio::co_spawn(io, std::move(work),
                          boost::asio::bind_cancellation_slot(s->stop.slot(), [s](const std::exception_ptr& e, T v) {
                              s->done = true;
                              s->thrown = e;
                              if (!e) s->value.emplace(std::move(v));
                          }));
    return s;
}

inline awaitable<bool> as_value(awaitable<void> work) {
    co_await std::move(work);
    co_return true;
}

inline std::shared_ptr<started<bool>> start(boost::asio::io_context& io, awaitable<void> work) {
    return start(io, as_value(std::move(work)));
}

// Two ends of one TCP connection over loopback, both non-blocking.
inline std::pair<net::unique_fd, net::unique_fd> tcp_pair() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    const net::unique_fd listening(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    net::unique_fd a(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::bind(listening.get(), any, size) != 0 || ::listen(listening.get(), 1) != 0 ||
        ::getsockname(listening.get(), any, &size) != 0 || ::connect(a.get(), any, size) != 0) {
        throw std::runtime_error("no loopback connection");
    }
    net::unique_fd b(::accept4(listening.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    const int flags = ::fcntl(a.get(), F_GETFL);
    if (!b || ::fcntl(a.get(), F_SETFL, flags | O_NONBLOCK) != 0) throw std::runtime_error("no loopback connection");
    const int on = 1;
    ::setsockopt(a.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(b.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return {std::move(a), std::move(b)};
}

// One end of a connection, moved by the test.
class hand {
public:
    hand(boost::asio::io_context& io, net::unique_fd fd) : io_(io), fd_(std::move(fd)) {}

    // Sends as the other side takes it.
    void send(std::string_view bytes) {
        run_until(io_, [&] {
            const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
            return bytes.empty() || (n < 0 && errno != EAGAIN);
        });
    }
    // The next `n` bytes; fewer if the connection ends first.
    std::string receive(std::size_t n) {
        run_until(io_, [&] { return take(), got_.size() >= n || over(); });
        return cut(n);
    }
    // Everything up to and with `mark`.
    std::string receive_through(std::string_view mark) {
        run_until(io_, [&] { return take(), got_.find(mark) != got_.npos || over(); });
        const auto at = got_.find(mark);
        return cut(at == got_.npos ? got_.size() : at + mark.size());
    }
    // Everything until the other side closes.
    std::string receive_rest() {
        run_until(io_, [&] { return take(), over(); });
        return cut(got_.size());
    }
    // What is here now.
    std::string received() {
        take();
        return got_;
    }
    bool ended() { return take(), ended_; }      // by FIN
    bool was_reset() { return take(), reset_; }  // by RST
    bool over() const { return ended_ || reset_; }

    void finish() { ::shutdown(fd_.get(), SHUT_WR); }
    void close() { fd_.reset(); }
    void reset() {
        const linger abortive{1, 0};
        ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &abortive, sizeof abortive);
        fd_.reset();
    }
    int fd() const { return fd_.get(); }

private:
    void take() {
        char bytes[16384];
        while (!over()) {
            const ssize_t n = ::recv(fd_.get(), bytes, sizeof bytes, 0);
            if (n > 0) {
                got_.append(bytes, static_cast<std::size_t>(n));
            } else if (n == 0) {
                ended_ = true;
            } else if (errno == EAGAIN) {
                return;
            } else {
                reset_ = true;
            }
        }
    }
    std::string cut(std::size_t n) {
        std::string out = got_.substr(0, n);
        got_.erase(0, n);
        return out;
    }

    boost::asio::io_context& io_;
    net::unique_fd fd_;
    std::string got_;
    bool ended_ = false, reset_ = false;
};

}  // namespace sluice::net_testing
