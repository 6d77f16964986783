#include "governance/arms/arm_board.hpp"

#include "support/exchange_fixture.hpp"

#include <catch2/catch.hpp>

using namespace sluice;

TEST_CASE("an arm keeps its number, and each worker has series of its own") {
    arm_board board;
    const auto a = board.id_of("m", "old"), b = board.id_of("m", "new");
    REQUIRE(a);
    CHECK(a != b);
    CHECK(board.id_of("m", "old") == a);
    CHECK(board.id_of("other", "old") != a);
    test::memory_metrics one, two;
    arm_series& first = board.series(*a, one);
    CHECK(&board.series(*a, one) == &first);
    CHECK(&board.series(*a, two) != &first);
    CHECK(board.all(one).size() == 3);
}

TEST_CASE("results are sums over the workers") {
    arm_board board;
    const auto id = *board.id_of("m", "new");
    test::memory_metrics one, two;
    board.series(id, one).requests.add(2);
    board.series(id, two).requests.add(3);
    board.series(id, one).duration.observe(0.1);
    board.series(id, two).duration.observe(0.1);
    board.series(id, one).errors[static_cast<std::size_t>(arm_error::timeout)]->add();
    board.series(id, two).judged(1'000'000, std::nullopt);
    board.series(id, one).judged(-500'000, 1'000'000);  // rated again by way of another worker
    const auto results = board.results("m");
    REQUIRE(results.size() == 1);
    const arm_result& r = results.front();
    CHECK(r.arm == "new");
    CHECK(r.requests == 5);
    CHECK(r.errors[2] == 1);
    CHECK((r.up == 0 && r.down == 1 && r.neutral == 0));
    CHECK(r.score_millionths == -500'000);
    REQUIRE(r.duration_p50);
    CHECK((*r.duration_p50 > 0.085 && *r.duration_p50 < 0.128));
    CHECK_FALSE(r.first_token_p50);
    CHECK(board.results("nobody").empty());
}

TEST_CASE("a request belongs to the tenant that made it, or to the key of no tenant") {
    const arm_board board;
    identity a, b;
    a.key_id = "k1";
    b.key_id = "k2";
    CHECK(board.hash(a, "r") != board.hash(b, "r"));
    a.tenant = b.tenant = "t";
    CHECK(board.hash(a, "r") == board.hash(b, "r"));
    CHECK(board.hash("ab", "c") != board.hash("a", "bc"));
    identity key_called_like_tenant;
    key_called_like_tenant.key_id = "t";
    CHECK(board.hash(key_called_like_tenant, "r") != board.hash(a, "r"));
}

TEST_CASE("a quantile lies within its bucket, and past the last bound it is that bound") {
    const double bounds[] = {1, 2, 4};
    const std::int64_t even[] = {10, 10, 0, 0}, high[] = {0, 0, 0, 5}, none[] = {0, 0, 0, 0};
    CHECK(quantile(bounds, even, 0.5) == Approx(1));
    CHECK(quantile(bounds, even, 0.75) == Approx(1.5));
    CHECK(quantile(bounds, high, 0.5) == Approx(4));
    CHECK_FALSE(quantile(bounds, none, 0.5));
}

TEST_CASE("Wilson's interval is that of the tables") {
    // 81 of 263: Newcombe, "Two-sided confidence intervals for the single proportion", Stat. Med. 17 (1998), table I.
    const auto i = wilson95(81, 263);
    REQUIRE(i);
    CHECK(i->low == Approx(0.2553).margin(0.0001));
    CHECK(i->high == Approx(0.3662).margin(0.0001));
    CHECK(wilson95(0, 20)->low == Approx(0).margin(1e-12));
    CHECK(wilson95(0, 20)->high == Approx(0.1611).margin(0.0001));
    CHECK_FALSE(wilson95(0, 0));
}
