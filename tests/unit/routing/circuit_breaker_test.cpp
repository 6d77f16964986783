#include "routing/circuit_breaker.hpp"

#include <catch2/catch.hpp>

using namespace sluice::routing;
using namespace std::chrono_literals;

TEST_CASE("a helper that fails in a row is left alone, tried once after a pause, and the pause grows") {
    circuit_breaker b;
    circuit_breaker::time_point now{1000s};
    for (int i = 0; i < circuit_breaker::failures_max; ++i) {
        CHECK(b.allow(now));
        b.failed(now);
    }
    CHECK_FALSE(b.allow(now));
    CHECK(b.open(now));
    now += 1s;
    CHECK(b.allow(now));
    CHECK_FALSE(b.allow(now));  // one at a time
    b.failed(now);
    CHECK_FALSE(b.allow(now + 1900ms));
    CHECK(b.allow(now + 2s));
    b.succeeded();
    CHECK(b.allow(now));
    CHECK(b.allow(now));
    CHECK_FALSE(b.open(now));
}

TEST_CASE("a success in between starts the count anew") {
    circuit_breaker b;
    const circuit_breaker::time_point now{1000s};
    for (int i = 0; i < 20; ++i) {
        if (i % circuit_breaker::failures_max == 0) b.succeeded();
        b.failed(now);
        if (i % circuit_breaker::failures_max != circuit_breaker::failures_max - 1) CHECK(b.allow(now));
        if (i % circuit_breaker::failures_max == circuit_breaker::failures_max - 1) b.succeeded();
    }
}

TEST_CASE("a trial whose outcome nobody tells is followed by another") {
    circuit_breaker b;
    const circuit_breaker::time_point now{1000s};
    for (int i = 0; i < circuit_breaker::failures_max; ++i) b.failed(now);
    CHECK(b.allow(now + 1s));
    CHECK_FALSE(b.allow(now + 1500ms));
    CHECK(b.allow(now + 2s));
}
