#include "routing/admission/verdict.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::admission;
using picker::pick_result;
using picker::refusal;

namespace {

pick_result refused(refusal r, double retry_after_s = 0) {
    pick_result p;
    p.refused = r;
    p.retry_after_s = retry_after_s;
    return p;
}

pick_result chosen() {
    pick_result p;
    p.count = 1;
    return p;
}

const request_class plain{.priority = 4};
const request_class hasty{.priority = 4, .sheddable = true, .ttft_slo_s = 2};

}  // namespace

TEST_CASE("a request with an endpoint goes, if it is its turn") {
    CHECK(judge(chosen(), plain, {}).what == action::admit);
    CHECK(judge(chosen(), plain, {.in_turn = false}).what == action::wait);
    CHECK(judge(chosen(), plain, {.in_turn = false, .queue_enabled = false}).what == action::admit);
}

TEST_CASE("a request that finds all busy waits") {
    CHECK(judge(refused(refusal::busy, 1), plain, {}).what == action::wait);
    CHECK(judge(refused(refusal::busy, 1), plain, {.others_wait = {.ahead = 10, .wait_s = 30}}).what == action::wait);
    CHECK(judge(refused(refusal::busy, 1), hasty, {.others_wait = {.ahead = 1, .wait_s = 1.5}}).what == action::wait);
}

TEST_CASE("one that may be shed does not wait for longer than it asked for") {
    const verdict v = judge(refused(refusal::busy, 1), hasty, {.others_wait = {.ahead = 10, .wait_s = 3.2}});
    CHECK(v.what == action::shed);
    CHECK(v.kind == error_kind::rate_limited);
    CHECK(v.reason == "rejected-saturated");
    CHECK(v.retry_after_s == 4);
    CHECK(judge(refused(refusal::busy, 1), hasty, {.waited_s = 2.5}).what == action::shed);
}

TEST_CASE("without a queue busy is refused with the time to come back") {
    const verdict v = judge(refused(refusal::busy, 1), plain, {.queue_enabled = false});
    CHECK(v.what == action::shed);
    CHECK(v.kind == error_kind::rate_limited);
    CHECK(v.retry_after_s == 1);
}

TEST_CASE("each refusal has its status and its reason") {
    struct expected {
        refusal why;
        int status;
        std::string_view reason;
        int retry_after_s;
    };
    for (const expected& e :
         {expected{refusal::no_endpoint, 503, "rejected-no-endpoints", 1},
          expected{refusal::capability, 503, "rejected-no-endpoints", 0},
          expected{refusal::adapter, 503, "rejected-no-endpoints", 0}, expected{refusal::context, 400, "", 0},
          expected{refusal::ttft_slo, 429, "rejected-saturated", 3},
          expected{refusal::tpot_slo, 429, "rejected-saturated", 3}}) {
        CAPTURE(to_string(e.why));
        const verdict v = judge(refused(e.why, 2.5), hasty, {});
        REQUIRE(v.what == action::shed);
        const error told = to_error(v);
        CHECK(status_of(told) == e.status);
        CHECK(told.retry_after == std::chrono::seconds(e.retry_after_s));
        CHECK(v.reason == e.reason);
        CHECK_FALSE(told.message.empty());
    }
}

TEST_CASE("a full queue, an expired wait and the end of the gateway have theirs, too") {
    for (const enqueued why : {enqueued::queue_full, enqueued::priority_full, enqueued::tenant_full}) {
        const verdict v = judge(why, {.ahead = 100, .wait_s = 500});
        CHECK(v.reason == "rejected-saturated");
        CHECK(status_of(to_error(v)) == 429);
        CHECK(v.retry_after_s == 60);  // an estimate is not worth more
    }
    CHECK(expired({}).reason == "rejected-ttl-expired");
    CHECK(status_of(to_error(expired({}))) == 429);
    CHECK(expired({}).retry_after_s == 1);
    CHECK(client_gone().reason == "rejected-context-cancelled");
    CHECK(shutting_down().reason == "rejected-shutting-down");
    CHECK(status_of(to_error(shutting_down())) == 503);
}
