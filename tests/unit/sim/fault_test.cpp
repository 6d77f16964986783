#include "sim/fault.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

using namespace sluice::sim;
using namespace std::chrono_literals;

namespace {

fault_plan plan_of(std::string_view script) {
    auto parsed = parse_fault(script);
    INFO((std::holds_alternative<std::string>(parsed) ? std::get<std::string>(parsed) : ""));
    REQUIRE(std::holds_alternative<fault_plan>(parsed));
    return std::get<fault_plan>(std::move(parsed));
}

}  // namespace

TEST_CASE("a compact fault script and the same as JSON mean the same") {
    for (const auto* script : {"delay=200ms; die=100;how=fin;garbage;stall-after=3",
                               R"({"delay":"200ms","die":100,"how":"fin","garbage":true,"stall-after":3})"}) {
        const auto p = plan_of(script);
        CHECK(p.delay == 200ms);
        CHECK(p.die == 100U);
        CHECK(p.how == die_how::fin);
        CHECK(p.garbage);
        CHECK(p.stall_after == 3U);
        CHECK_FALSE(p.harmless());
    }
}

TEST_CASE("a fault script that is not understood says which part") {
    for (const auto* script : {"delay=soon", "no-such-thing", "die=-1", "how=nicely", "status=7", "{", "cl-te=maybe"}) {
        CAPTURE(script);
        CHECK(std::holds_alternative<std::string>(parse_fault(script)));
    }
}

TEST_CASE("durations have units and a bare number is milliseconds") {
    CHECK(parse_duration("250us") == 250us);
    CHECK(parse_duration("1.5s") == 1500ms);
    CHECK(parse_duration("2m") == 2min);
    CHECK(parse_duration("20") == 20ms);
    for (const auto* bad : {"", "ms", "-1s", "1h", "1e300s", "nan"}) CHECK_FALSE(parse_duration(bad));
}

TEST_CASE("words that only change the answer leave its delivery ordinary") {
    CHECK(plan_of("status=429;retry-after=3;body=x").harmless());
    CHECK(plan_of("text=hello").harmless());
    CHECK_FALSE(plan_of("cut=1").harmless());
}

TEST_CASE("a rule ends after its count and waits for its turn and its path") {
    fault_book book;
    REQUIRE_FALSE(book.add("status=500;next=2;path=/v1/chat"));
    REQUIRE_FALSE(book.add("status=503;every=3"));
    CHECK_FALSE(book.take("/health"));
    CHECK(book.take("/v1/chat/completions")->status == 500);
    CHECK_FALSE(book.take("/health"));
    CHECK(book.take("/v1/chat/completions")->status == 500);
    CHECK(book.take("/v1/chat/completions")->status == 503);  // the third that the second rule saw
    CHECK_FALSE(book.take("/v1/chat/completions"));
}

TEST_CASE("a fault at accept waits for a connection and is used up by it") {
    fault_book book;
    REQUIRE_FALSE(book.add("die-at=accept;next=1"));
    CHECK_FALSE(book.take("/v1/models"));
    CHECK(book.dies_at_accept());
    CHECK_FALSE(book.dies_at_accept());
}

TEST_CASE("the documentation names every fault") {
    std::ifstream file(SLUICE_SOURCE_DIR "/docs/sim.md");
    std::stringstream page;
    page << file.rdbuf();
    for (const auto name : fault_names()) {
        CAPTURE(name);
        CHECK(page.str().find("| `" + std::string(name)) != std::string::npos);
    }
}
