#include "routing/pools/endpoint_life.hpp"

#include <catch2/catch.hpp>

using namespace sluice::routing;
using namespace std::chrono_literals;
using phase = endpoint_phase;

namespace {

const endpoint_life::time_point start{1000s};

}  // namespace

TEST_CASE("a server serves once its first check is good, and at its full share") {
    endpoint_life life({}, start);
    CHECK(life.phase() == phase::pending);
    CHECK(life.checked(true, start + 1s));
    CHECK(life.phase() == phase::ready);
    CHECK(life.ramp(start + 1s) == 1);
    CHECK_FALSE(life.checked(true, start + 2s));
}

TEST_CASE("a server that nobody checks is ready at once and stays so") {
    endpoint_life life({.checked = false}, start);
    CHECK(life.phase() == phase::ready);
    CHECK_FALSE(life.checked(false, start));
    CHECK_FALSE(life.checked(false, start));
    CHECK_FALSE(life.checked(false, start));
    CHECK(life.phase() == phase::ready);
}

TEST_CASE("only checks that fail in a row make a server not ready, and as many good ones ready again") {
    endpoint_life life({.unhealthy_after = 3, .healthy_after = 2}, start);
    CHECK_FALSE(life.checked(true, start));
    CHECK(life.checked(true, start));
    life.checked(false, start);
    life.checked(false, start);
    life.checked(true, start);
    life.checked(false, start);
    CHECK_FALSE(life.checked(false, start));
    CHECK(life.phase() == phase::ready);
    CHECK(life.checked(false, start));
    CHECK(life.phase() == phase::not_ready);
    CHECK_FALSE(life.checked(true, start));
    CHECK(life.checked(true, start));
    CHECK(life.phase() == phase::ready);
}

TEST_CASE("a server that comes back gets its share slowly") {
    endpoint_life life({.unhealthy_after = 1, .slow_start = 10s}, start);
    life.checked(true, start);
    life.checked(false, start);
    life.checked(true, start);
    CHECK(life.ramp(start) == Approx(0.1));
    CHECK(life.ramp(start + 5s) == Approx(0.5));
    CHECK(life.tick(0, start + 5s));
    CHECK(life.tick(0, start + 10s));
    CHECK(life.ramp(start + 10s) == 1);
    CHECK_FALSE(life.tick(0, start + 11s));
}

TEST_CASE("a server that stays away has failed, and may still come back") {
    endpoint_life life({.unhealthy_after = 1, .failed_after = 60s}, start);
    life.checked(false, start);
    CHECK(life.phase() == phase::not_ready);
    CHECK_FALSE(life.tick(0, start + 59s));
    CHECK(life.tick(0, start + 60s));
    CHECK(life.phase() == phase::failed);
    CHECK(life.checked(true, start + 61s));
    CHECK(life.phase() == phase::ready);
}

TEST_CASE("a draining server goes offline when nothing is under way, or when its time is over") {
    endpoint_life life({}, start);
    life.checked(true, start);
    CHECK(life.drain(30s, start));
    CHECK(life.withdrawn());
    CHECK_FALSE(life.drain(1s, start));
    CHECK_FALSE(life.tick(2, start + 29s));
    SECTION("nothing under way") {
        CHECK(life.tick(0, start + 1s));
    }
    SECTION("time over") {
        CHECK(life.tick(2, start + 30s));
    }
    CHECK(life.phase() == phase::offline);
}

TEST_CASE("a server that was taken out by hand ignores its checks until it is brought back") {
    endpoint_life life({}, start);
    CHECK(life.offline(start));
    CHECK_FALSE(life.offline(start));
    CHECK_FALSE(life.checked(true, start));
    CHECK(life.phase() == phase::offline);
    CHECK(life.online(start));
    CHECK_FALSE(life.online(start));
    CHECK(life.phase() == phase::pending);
    CHECK(life.checked(true, start));
}

TEST_CASE("names of phases lead back to them") {
    for (std::size_t i = 0; i < endpoint_phases; ++i) {
        const auto p = static_cast<phase>(i);
        CHECK(phase_of(to_string(p)) == p);
    }
    CHECK_FALSE(phase_of("gone"));
}
