#include "net/reactor.hpp"
#include "support/loopback.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <memory>
#include <stdexcept>
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
