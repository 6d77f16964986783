#include "governance/arms/shadow_budget.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace std::chrono_literals;
using answer = shadow_budget::answer;

namespace {

const shadow_budget::wall_time noon = std::chrono::sys_days{std::chrono::year{2026} / 6 / 1} + 12h;
constexpr shadow_limits limits{.requests_per_minute = 2, .tokens_per_day = 100, .concurrent = 10};

}  // namespace

TEST_CASE("copies of a minute are counted, and the next minute begins anew") {
    shadow_budget b;
    CHECK(b.begin(limits, noon) == answer::yes);
    CHECK(b.begin(limits, noon + 59s) == answer::yes);
    CHECK(b.begin(limits, noon + 59s) == answer::requests);
    CHECK(b.begin(limits, noon + 60s) == answer::yes);
}

TEST_CASE("the copy that crosses the day's tokens is the last of the day") {
    shadow_budget b;
    b.used(99, noon);
    CHECK(b.begin(limits, noon) == answer::yes);
    b.used(5000, noon);
    CHECK(b.begin(limits, noon + 1min) == answer::tokens);
    CHECK(b.begin(limits, noon + 11h) == answer::tokens);
    CHECK(b.begin(limits, noon + 12h) == answer::yes);
    b.used(-1, noon + 12h);  // not reported
    CHECK(b.begin(limits, noon + 12h) == answer::yes);
}

TEST_CASE("what was refused holds no place among those under way") {
    shadow_budget b;
    const shadow_limits two{.requests_per_minute = 100, .tokens_per_day = 100, .concurrent = 2};
    CHECK(b.begin(two, noon) == answer::yes);
    CHECK(b.begin(two, noon) == answer::yes);
    for (int i = 0; i < 5; ++i) CHECK(b.begin(two, noon) == answer::concurrent);
    b.done();
    CHECK(b.begin(two, noon) == answer::yes);
    CHECK(b.begin(limits, noon + 2min) == answer::yes);

    shadow_budget minute;
    const shadow_limits one{.requests_per_minute = 1, .tokens_per_day = 100, .concurrent = 2};
    CHECK(minute.begin(one, noon) == answer::yes);
    for (int i = 0; i < 5; ++i) CHECK(minute.begin(one, noon) == answer::requests);
    CHECK(minute.begin(one, noon + 1min) == answer::yes);
}
