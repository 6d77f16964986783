#include "routing/upstream_state.hpp"

#include <catch2/catch.hpp>

#include <thread>
#include <vector>

using namespace sluice::routing;
using namespace std::chrono_literals;

namespace {
const steady_time start{1h};
}

TEST_CASE("five failures in a row leave an address out, for 30 s") {
    endpoint_state e;
    for (int i = 0; i < 4; ++i) CHECK_FALSE(e.failed(start));
    CHECK(e.available(start));
    CHECK(e.failed(start));
    CHECK_FALSE(e.available(start));
    CHECK_FALSE(e.available(start + 30s - 1ns));
    CHECK(e.available(start + 30s));
}

TEST_CASE("a success in between starts the count again") {
    endpoint_state e;
    for (int i = 0; i < 4; ++i) e.failed(start);
    e.succeeded();
    for (int i = 0; i < 4; ++i) CHECK_FALSE(e.failed(start));
    CHECK(e.failed(start));
}

TEST_CASE("back from its ejection an address is left out for longer by one failure, up to five minutes") {
    endpoint_state e;
    auto now = start;
    for (int i = 0; i < 5; ++i) e.failed(now);
    for (const auto time : {60s, 90s, 120s, 150s, 180s, 210s, 240s, 270s, 300s, 300s}) {
        now += 5min;
        REQUIRE(e.failed(now));
        CHECK_FALSE(e.available(now + time - 1ns));
        CHECK(e.available(now + time));
    }
    now += 5min;
    e.succeeded();
    for (int i = 0; i < 4; ++i) CHECK_FALSE(e.failed(now));
    CHECK(e.failed(now));
    CHECK(e.available(now + 30s));
}

TEST_CASE("calls that were under way when the address was left out do not prolong it") {
    endpoint_state e;
    int ejections = 0;
    for (int i = 0; i < 100; ++i) ejections += static_cast<int>(e.failed(start));
    CHECK(ejections == 1);
    CHECK(e.available(start + 30s));
}

TEST_CASE("a credential cools down until the latest time it was told") {
    credential_state c;
    CHECK(c.available(start));
    c.cool_down(start, 20s);
    c.cool_down(start, 5s);
    CHECK_FALSE(c.available(start + 20s - 1ns));
    CHECK(c.available(start + 20s));
}

TEST_CASE("ten retries are there from the start, and each call earns a fifth of one") {
    retry_budget b;
    const auto take_all = [&] {
        int n = 0;
        while (b.take()) ++n;
        return n;
    };
    CHECK(take_all() == 10);
    for (int i = 0; i < 4; ++i) b.called();
    CHECK_FALSE(b.take());
    b.called();
    CHECK(take_all() == 1);
    for (int i = 0; i < 40; ++i) b.called();
    CHECK(take_all() == 8);
    for (int i = 0; i < 1000; ++i) b.called();  // quiet times save up no storm
    CHECK(take_all() == 10);
}

TEST_CASE("workers share the state of an upstream") {
    endpoint_state e;
    credential_state c;
    retry_budget b;
    std::atomic<int> ejections{0}, taken{0};
    std::vector<std::thread> workers;
    for (int w = 0; w < 4; ++w) {
        workers.emplace_back([&, w] {
            for (int i = 0; i < 2000; ++i) {
                ejections += static_cast<int>(e.failed(start));
                c.cool_down(start, std::chrono::milliseconds(w * 2000 + i));
                b.called();
                taken += static_cast<int>(b.take());
            }
        });
    }
    for (auto& w : workers) w.join();
    CHECK(ejections == 1);
    CHECK(e.available(start + 30s));
    CHECK(c.until() == ticks(start + 7999ms));
    while (b.take()) ++taken;
    CHECK(taken <= 10 + 8000 / 5);
    CHECK(taken >= 8000 / 5);
}
