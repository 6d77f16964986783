#include "routing/clusters/cluster_report.hpp"
#include "routing/clusters/cluster_state.hpp"
#include "routing/clusters/hop_guard.hpp"
#include "routing/clusters/spill_gate.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::clusters;
using namespace std::chrono_literals;

namespace {

constexpr steady_time start{1000h};

}  // namespace

TEST_CASE("a report reads back as it was written") {
    cluster_report r;
    r.servers = 8;
    r.inflight = 31;
    r.queued = 2;
    r.prefill_tokens = 12'000;
    r.context_tokens = 410'000;
    r.step_s = 0.007;
    r.prefill_token_s = 5e-5;
    const auto again = read_cluster_report(write(r));
    REQUIRE(again.has_value());
    CHECK(again->servers == 8);
    CHECK(again->inflight == 31);
    CHECK(again->queued == 2);
    CHECK(again->prefill_tokens == 12'000);
    CHECK(again->context_tokens == 410'000);
    CHECK(again->step_s == Approx(0.007));
    CHECK(again->prefill_token_s == Approx(5e-5));
    CHECK(read_cluster_report(R"({"servers":1,"colour":"red"})").has_value());
}

TEST_CASE("what is no report is refused") {
    for (const char* text : {"", "[]", "{}", R"({"servers":-1})", R"({"servers":"8"})", R"({"servers":1,"step_us":-2})",
                             R"({"servers":1,"prefill_token_us":1e12})", R"({"servers":1.5})"}) {
        INFO(text);
        CHECK_FALSE(read_cluster_report(text).has_value());
    }
}

TEST_CASE("the time to a first token over there is the way, the prompt, and what is ahead, spread over its servers") {
    cluster_state s;
    CHECK_FALSE(s.ttft_s(1'000, 0, start, 1s).has_value());
    s.saw_round_trip(0.04);
    cluster_report r;
    r.servers = 4;
    r.prefill_tokens = 10'000;
    r.step_s = 0.01;
    r.prefill_token_s = 1e-4;
    // 2,000 of those 10,000 are ours; by now we have 6,000 there.
    s.reported(r, 2'000, start);
    const auto ttft = s.ttft_s(1'000, 6'000, start + 100ms, 1s);
    REQUIRE(ttft.has_value());
    CHECK(*ttft == Approx(0.04 + 0.015 + (1'000 + 14'000 / 4.0) * 1e-4));
    CHECK_FALSE(s.ttft_s(1'000, 6'000, start + 2s, 1s).has_value());
    CHECK(s.report_age_s(start + 2s) == Approx(2));

    r.queued = 8;
    s.reported(r, 10'000, start);
    CHECK(*s.ttft_s(1'000, 0, start, 1s) == Approx(0.04 + 0.015 + (1'000 + 8'000 / 4.0) * 1e-4));
    r.servers = 0;
    s.reported(r, 0, start);
    CHECK_FALSE(s.ttft_s(1'000, 0, start, 1s).has_value());
}

TEST_CASE("a request leaves home when that is clearly slower, and until it is level again") {
    const spill_config c{.home_bias = 1.2, .margin = 200ms, .hold = 5s};
    spill_gate g(c);
    // A little slower is no reason.
    CHECK_FALSE(g.leaves(0.7, 0.5, start));
    CHECK_FALSE(g.leaves(0.8, 0.5, start));
    CHECK(g.leaves(0.81, 0.5, start));
    // Open, the faster one is taken, whichever it is.
    CHECK(g.leaves(0.6, 0.5, start + 1s));
    CHECK_FALSE(g.leaves(0.4, 0.5, start + 2s));
    CHECK(g.leaves(0.6, 0.5, start + 4900ms));
    // Home was not that slow for five seconds.
    CHECK_FALSE(g.leaves(0.6, 0.5, start + 5s));
    // Each time it is, it stays open for so long.
    CHECK(g.leaves(2, 0.5, start + 6s));
    CHECK(g.leaves(2, 0.5, start + 9s));
    CHECK(g.leaves(0.6, 0.5, start + 13s));
    CHECK_FALSE(g.leaves(0.6, 0.5, start + 14s));
}

TEST_CASE("the hops of a request are a small number, and taken out of it") {
    header_list h;
    CHECK(take_hops(h).value() == 0);
    h.add("Sluice-Hops", "2");
    CHECK(take_hops(h).value() == 2);
    CHECK(h.empty());
    for (const char* bad : {"", "-1", "16", "1x", "1 ", "99999999999"}) {
        INFO(bad);
        h.add("sluice-hops", bad);
        CHECK_FALSE(take_hops(h).has_value());
        CHECK(h.empty());
    }
    h.add("sluice-hops", "1");
    h.add("sluice-hops", "1");
    CHECK_FALSE(take_hops(h).has_value());
}
