// What the tests of net/ share: a coroutine run to its end on a loop of its own, a clock that is turned by hand,
// a DNS server in the test process, and listeners on loopback.
#pragma once

#include <sluice/awaitable.hpp>
#include <sluice/services.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sluice::net_testing {

// Runs the loop until `done()`; throws after 10 seconds, which no test needs.
template <class Done>
void run_until(boost::asio::io_context& io, Done done) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (!done()) {
        if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("the test took too long");
        if (io.stopped()) io.restart();
        io.run_one_for(std::chrono::milliseconds{1});  // what a socket's event started is no handler of the context
    }
}

// The result of a coroutine, or its exception.
template <class T>
T run(boost::asio::io_context& io, awaitable<T> work) {
    std::optional<T> value;
    std::exception_ptr thrown;
    bool done = false;
    boost::asio::co_spawn(io, std::move(work), [&](std::exception_ptr e, T v) {
        done = true;
        thrown = e;
        if (!e) value.emplace(std::move(v));
    });
    run_until(io, [&] { return done; });
    if (thrown) std::rethrow_exception(thrown);
    return std::move(*value);
}

class turned_clock final : public clock {
public:
    time_point now() const override { return now_; }
    std::chrono::system_clock::time_point wall() const override { return std::chrono::system_clock::time_point{}; }
    void advance(std::chrono::milliseconds by) { now_ += by; }

private:
    time_point now_ = time_point{} + std::chrono::hours{1};
};

// A DNS server on 127.0.0.1 (UDP) that answers from a table, on the loop of the test.
class fake_dns {
public:
    struct reply {
        std::vector<std::string> addresses;  // A or AAAA, as the question asks
        std::uint32_t ttl = 60;              // seconds
        int rcode = 0;                       // 2: SERVFAIL, 3: NXDOMAIN
        bool silent = false;                 // never answers
    };

    explicit fake_dns(boost::asio::io_context& io);
    std::string server() const;  // "127.0.0.1:PORT"
    void set(const std::string& name, reply r) { table_[name] = std::move(r); }
    int asked(const std::string& name) const;  // questions for A seen

private:
    void receive();
    void answer(std::size_t size);

    boost::asio::ip::udp::socket socket_;
    boost::asio::ip::udp::endpoint from_;
    std::array<std::uint8_t, 512> in_{};
    std::map<std::string, reply> table_;
    std::map<std::string, int> asked_;
};

}  // namespace sluice::net_testing
