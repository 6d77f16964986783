#include "net/reactor.hpp"
#include "net/stream.hpp"
#include "support/loopback.hpp"

#include <catch2/catch.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <functional>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace sluice;
using namespace sluice::net;
using namespace sluice::net_testing;

namespace {

struct watched final : pollable {
    watched(reactor& r, unique_fd f) : loop(r), fd(std::move(f)) { REQUIRE(loop.add(fd.get(), *this)); }
    ~watched() { loop.remove(fd.get(), *this); }
    void on_events(std::uint32_t e) override {
        seen |= e;
        ++calls;
        if (then) then();
    }
    reactor& loop;
    unique_fd fd;
    std::uint32_t seen = 0;
    int calls = 0;
    std::function<void()> then;
};

}  // namespace

TEST_CASE("a descriptor tells of data and of hang-ups") {
    worker_loop w;
    auto [ours, theirs] = tcp_pair();
    watched p(w.loop, std::move(ours));
    hand other(w.io, std::move(theirs));
    w.until([&] { return p.calls > 0; });
    CHECK((p.seen & EPOLLOUT) != 0);
    CHECK((p.seen & EPOLLIN) == 0);
    other.send("x");
    w.until([&] { return (p.seen & EPOLLIN) != 0; });
    CHECK((p.seen & EPOLLRDHUP) == 0);
    other.finish();
    w.until([&] { return (p.seen & EPOLLRDHUP) != 0; });
}

TEST_CASE("a handler may destroy others whose events were fetched with its own") {
    worker_loop w;
    std::vector<std::unique_ptr<watched>> all;
    std::vector<unique_fd> others;
    for (int i = 0; i < 8; ++i) {
        auto [ours, theirs] = tcp_pair();
        all.push_back(std::make_unique<watched>(w.loop, std::move(ours)));
        others.push_back(std::move(theirs));
    }
    int calls = 0;
    for (auto& p : all) {
        p->then = [&calls, &all, self = p.get()] {
            ++calls;
            for (auto& each : all) {
                if (each && each.get() != self) each.reset();  // its own goes later: its function is running
            }
        };
    }
    w.until([&] { return calls > 0; });
    w.settle();
    CHECK(calls == 1);
}

TEST_CASE("what one handler throws costs the others nothing") {
    worker_loop w;
    auto [a, a_end] = tcp_pair();
    auto [b, b_end] = tcp_pair();
    watched thrower(w.loop, std::move(a));
    watched other(w.loop, std::move(b));
    thrower.then = [] { throw std::runtime_error("a bug"); };
    bool thrown = false;
    for (int i = 0; i < 100 && (!thrown || other.calls == 0); ++i) {
        try {
            w.io.run_one_for(std::chrono::milliseconds(50));
        } catch (const std::runtime_error&) {
            thrown = true;
        }
    }
    CHECK(thrown);
    CHECK(other.calls > 0);
    // And the loop goes on.
    thrower.then = nullptr;
    other.seen = 0;
    REQUIRE(::send(b_end.get(), "x", 1, MSG_NOSIGNAL) == 1);
    w.until([&] { return (other.seen & EPOLLIN) != 0; });
}

TEST_CASE("more events than one batch holds are all delivered") {
    worker_loop w;
    std::vector<std::unique_ptr<watched>> all;
    std::vector<unique_fd> others;
    for (int i = 0; i < 300; ++i) {
        auto [ours, theirs] = tcp_pair();
        all.push_back(std::make_unique<watched>(w.loop, std::move(ours)));
        others.push_back(std::move(theirs));
    }
    w.until([&] {
        for (const auto& p : all) {
            if (p->calls == 0) return false;
        }
        return true;
    });
}

namespace {

awaitable<void> answer(stream& s, std::vector<int>& order, int who) {
    std::array<char, 8> scratch{};
    while (s.read_some(scratch).status == io_status::again) {
        const ready how = co_await s.readable(std::chrono::seconds(5));
        REQUIRE(how == ready::yes);
    }
    order.push_back(who);
    if (s.owner().put_off(1)) co_await s.owner().turn_end();
    order.push_back(10 + who);
}

}  // namespace

TEST_CASE("what is put off runs behind the other events of the turn") {
    worker_loop w;
    std::vector<std::unique_ptr<stream>> streams;
    std::vector<unique_fd> others;
    std::vector<int> order;
    for (int i = 0; i < 3; ++i) {
        auto [ours, theirs] = tcp_pair();
        streams.push_back(std::make_unique<stream>(w.loop, std::move(ours)));
        others.push_back(std::move(theirs));
        boost::asio::co_spawn(w.io, answer(*streams.back(), order, i), [](const std::exception_ptr&) {});
    }
    w.settle();
    REQUIRE(order.empty());
    for (const unique_fd& fd : others) REQUIRE(::send(fd.get(), "x", 1, MSG_NOSIGNAL) == 1);
    w.until([&] { return order.size() == 6; });
    // The last one of the turn has nothing to wait for.
    CHECK(order == std::vector<int>{0, 1, 2, 12, 10, 11});
    CHECK_FALSE(w.loop.put_off(1));
}

TEST_CASE("timers and posts of the context and deadlines of the wheel all run on the one wait") {
    worker_loop w;
    int posted = 0;
    bool timer = false;
    struct deadline final : timer_node {
        void expired() override { passed = true; }
        bool passed = false;
    } due;
    boost::asio::steady_timer t(w.io, std::chrono::milliseconds(15));
    t.async_wait([&](const boost::system::error_code&) { timer = true; });
    w.loop.timers().arm(due, w.loop.now() + std::chrono::milliseconds(20));
    std::thread other([&] {
        for (int i = 0; i < 100; ++i) boost::asio::post(w.io, [&] { ++posted; });
    });
    w.until([&] { return timer && due.passed && posted == 100; });
    other.join();
    CHECK(posted == 100);
}
