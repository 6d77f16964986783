#include "governance/arms/recent_requests.hpp"

#include <catch2/catch.hpp>

#include <thread>

using sluice::recent_requests;

TEST_CASE("a request is found with its arm from every worker, and by its own hash alone") {
    recent_requests recent(64);
    int one = 0, other = 0;
    auto* const a = recent.of(&one);
    auto* const b = recent.of(&other);
    REQUIRE(a != nullptr);
    CHECK(a != b);
    CHECK(recent.of(&one) == a);
    a->put(11, 3);
    b->put(12, 4);
    CHECK(recent.find(11) == 3);
    CHECK(recent.find(12) == 4);
    CHECK_FALSE(recent.find(13));
    a->put(11, 5);  // the request went on to another arm
    CHECK(recent.find(11) == 5);
}

TEST_CASE("the hash zero is a hash like any other") {
    recent_requests recent(8);
    int worker = 0;
    CHECK_FALSE(recent.find(0));
    recent.of(&worker)->put(0, 7);
    CHECK(recent.find(0) == 7);
}

TEST_CASE("a second judgement says what the first one was") {
    recent_requests recent(8);
    int worker = 0;
    recent.of(&worker)->put(1, 2);
    const auto first = recent.judge(1, -1'000'000);
    REQUIRE(first);
    CHECK(first->arm == 2);
    CHECK_FALSE(first->before);
    CHECK(recent.judge(1, 500'000)->before == -1'000'000);
    CHECK(recent.judge(1, 0)->before == 500'000);
    CHECK(recent.judge(1, 1'000'000)->before == 0);
    CHECK(recent.judge(1, 9'000'000)->before == 1'000'000);
    CHECK(recent.judge(1, 0)->before == 1'000'000);  // what is out of range was cut
    CHECK_FALSE(recent.judge(2, 0));
    CHECK(recent.find(1) == 2);
}

TEST_CASE("the oldest of a full set gives way") {
    recent_requests recent(4);  // one set
    int worker = 0;
    auto* const shard = recent.of(&worker);
    for (std::uint64_t h = 1; h <= 4; ++h) shard->put(h, 0);
    shard->put(1, 0);  // touched: now 2 is the oldest
    shard->put(5, 0);
    CHECK(recent.find(1));
    CHECK_FALSE(recent.find(2));
    CHECK(recent.find(3));
    CHECK(recent.find(5));
}

TEST_CASE("a table of 4096 knows nearly all of the latest thousand") {
    recent_requests recent(4096);
    int worker = 0;
    auto* const shard = recent.of(&worker);
    const auto hash = [](std::uint64_t i) { return (i + 1) * 0x9e3779b97f4a7c15; };
    for (std::uint64_t i = 0; i < 100'000; ++i) shard->put(hash(i), static_cast<std::uint16_t>(i % 7));
    int known = 0;
    for (std::uint64_t i = 99'000; i < 100'000; ++i) known += recent.find(hash(i)) == i % 7 ? 1 : 0;
    CHECK(known > 980);
}

TEST_CASE("judges on other threads never judge the entry that took another's place") {
    recent_requests recent(4);
    int worker = 0;
    auto* const shard = recent.of(&worker);
    constexpr std::uint64_t rounds = 20'000;
    // Each request's arm is a function of its hash: whoever reads another's value sees a wrong arm.
    std::atomic<int> wrong{0};
    std::thread judge([&] {
        for (std::uint64_t i = 1; i < rounds; ++i) {
            const auto j = recent.judge(i, 1);
            if (j && (j->arm != i % 1000 || j->before)) ++wrong;
        }
    });
    for (std::uint64_t i = 1; i < rounds; ++i) shard->put(i, static_cast<std::uint16_t>(i % 1000));
    judge.join();
    CHECK(wrong == 0);
}
