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

TEST_CASE("three retries may always run, and beyond that a fifth of what is active") {
    retry_budget b;
    b.started();
    for (int i = 0; i < 3; ++i) CHECK(b.take());
    CHECK_FALSE(b.take());
    for (int i = 1; i < 100; ++i) b.started();
    int more = 0;
    while (b.take()) ++more;
    CHECK(more == 17);  // 20 in all
    b.retry_ended();
    CHECK(b.take());
    for (int i = 0; i < 20; ++i) b.retry_ended();
    for (int i = 0; i < 100; ++i) b.ended();
    for (int i = 0; i < 3; ++i) CHECK(b.take());
    CHECK_FALSE(b.take());
}

TEST_CASE("workers share the state of an upstream") {
    endpoint_state e;
    credential_state c;
    retry_budget b;
    std::atomic<int> ejections{0}, running{0}, most{0};
    std::vector<std::thread> workers;
    for (int w = 0; w < 4; ++w) {
        workers.emplace_back([&, w] {
            for (int i = 0; i < 2000; ++i) {
                ejections += static_cast<int>(e.failed(start));
                c.cool_down(start, std::chrono::milliseconds(w * 2000 + i));
                b.started();
                if (b.take()) {
                    const int n = ++running;
                    for (int old = most; old < n && !most.compare_exchange_weak(old, n);) {
                    }
                    --running;
                    b.retry_ended();
                }
                b.ended();
            }
        });
    }
    for (auto& w : workers) w.join();
    CHECK(ejections == 1);
    CHECK(e.available(start + 30s));
    CHECK(c.until() == ticks(start + 7999ms));
    CHECK(most <= 3);
    for (int i = 0; i < 3; ++i) CHECK(b.take());
    CHECK_FALSE(b.take());
}
