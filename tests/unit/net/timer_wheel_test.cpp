#include "net/timer_wheel.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <memory>
#include <vector>

using namespace sluice::net;
using namespace std::chrono_literals;

namespace {

const timer_wheel::time_point start{std::chrono::hours(5)};

struct node final : timer_node {
    int fired = 0;
    std::function<void()> then;

private:
    void expired() override {
        ++fired;
        if (then) then();
    }
};

}  // namespace

TEST_CASE("a deadline is never early and at most two ticks late") {
    for (const auto after : {0ms, 1ms, 9ms, 10ms, 11ms, 100ms, 5109ms, 5120ms, 5121ms, 61234ms}) {
        timer_wheel wheel(start);
        node n;
        wheel.arm(n, start + after);
        for (auto now = 0ms; now <= after && n.fired == 0; now += 1ms) {
            wheel.advance(start + now);
            INFO(after.count() << " ms, at " << now.count());
            REQUIRE((n.fired == 0 || now > after));
        }
        wheel.advance(start + after + 20ms);
        CHECK(n.fired == 1);
        wheel.advance(start + after + 20s);
        CHECK(n.fired == 1);
        CHECK(wheel.empty());
    }
}

TEST_CASE("a deadline may move later, earlier and away") {
    timer_wheel wheel(start);
    node n;
    wheel.arm(n, start + 100ms);
    wheel.arm(n, start + 300ms);
    wheel.advance(start + 250ms);
    CHECK(n.fired == 0);
    wheel.arm(n, start + 260ms);
    wheel.advance(start + 280ms);
    CHECK(n.fired == 1);
    wheel.arm(n, start + 400ms);
    wheel.disarm(n);
    wheel.advance(start + 10s);
    CHECK(n.fired == 1);
    wheel.arm(n, start + 10s + 50ms);
    wheel.disarm(n);
    wheel.arm(n, start + 10s + 200ms);
    wheel.advance(start + 10s + 150ms);
    CHECK(n.fired == 1);
    wheel.advance(start + 10s + 220ms);
    CHECK(n.fired == 2);
}

TEST_CASE("a deadline in the past comes at the next tick") {
    timer_wheel wheel(start);
    wheel.advance(start + 1s);
    node n;
    wheel.arm(n, start);
    wheel.advance(start + 1s);
    CHECK(n.fired == 0);
    wheel.advance(start + 1010ms);
    CHECK(n.fired == 1);
}

TEST_CASE("a node may be armed again while it expires") {
    timer_wheel wheel(start);
    node n;
    n.then = [&] { wheel.arm(n, start + 10ms * (n.fired + 1)); };
    wheel.arm(n, start + 10ms);
    wheel.advance(start + 101ms);
    CHECK(n.fired >= 9);
    CHECK(n.fired <= 10);
}

TEST_CASE("a node that expires may destroy itself and others of its slot") {
    timer_wheel wheel(start);
    std::vector<std::unique_ptr<node>> nodes;
    int fired = 0;
    for (int i = 0; i < 5; ++i) {
        nodes.push_back(std::make_unique<node>());
        nodes.back()->then = [&] {
            ++fired;
            const auto dying = std::move(nodes);  // all of them, this one too
            nodes.clear();
        };
        wheel.arm(*nodes.back(), start + 50ms);
    }
    wheel.advance(start + 1s);
    CHECK(fired == 1);
    CHECK(wheel.empty());
}

TEST_CASE("nodes and wheel may go in any order") {
    node outlives;
    {
        timer_wheel wheel(start);
        wheel.arm(outlives, start + 1s);
        {
            node a, b, c;
            wheel.arm(a, start + 1s);
            wheel.arm(b, start + 1s);
            wheel.arm(c, start + 1s);
        }
        CHECK_FALSE(wheel.empty());
    }
    timer_wheel another(start);
    another.arm(outlives, start + 10ms);
    another.advance(start + 1s);
    CHECK(outlives.fired == 1);
}

TEST_CASE("a clock that stands still or goes back fires nothing") {
    timer_wheel wheel(start);
    node n;
    wheel.arm(n, start + 10ms);
    wheel.advance(start);
    wheel.advance(start - 1h);
    CHECK(n.fired == 0);
}
