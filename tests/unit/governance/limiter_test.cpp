#include "governance/limiter.hpp"
#include "governance/siphash.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

using namespace sluice;
using namespace std::chrono_literals;

namespace {

const steady_time start{1000s};

// A mixer, so that small numbers become subjects that look like hashes.
std::uint64_t subject(std::uint64_t n) {
    const siphash_key key{1, 2};
    return siphash(key, {reinterpret_cast<const char*>(&n), sizeof n});
}

}  // namespace

TEST_CASE("SipHash gives the published values") {
    siphash_key key;
    std::memcpy(&key, "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f", 16);
    std::string text;
    CHECK(siphash(key, text) == 0x726fdb47dd0e0e31);
    for (int i = 0; i < 15; ++i) text.push_back(static_cast<char>(i));
    CHECK(siphash(key, text) == 0xa129ca6149be45e5);
}

TEST_CASE("a burst is admitted at once and then one unit per interval") {
    rate_limiter limiter(16);
    const rate r(60, 60s, 5);
    for (int i = 0; i < 5; ++i) {
        const auto d = limiter.take(7, 1, r, start);
        CHECK(d.allowed);
        CHECK(d.remaining == 4 - i);
    }
    const auto refused = limiter.take(7, 1, r, start);
    CHECK_FALSE(refused.allowed);
    CHECK(refused.remaining == 0);
    CHECK(refused.retry_after == 1s);
    CHECK(refused.reset == 5s);
    CHECK_FALSE(limiter.take(7, 1, r, start + 999ms).allowed);
    CHECK(limiter.take(7, 1, r, start + 1s).allowed);
    CHECK_FALSE(limiter.take(7, 1, r, start + 1s).allowed);
}

TEST_CASE("subjects do not share a limit") {
    rate_limiter limiter(16);
    const rate r(1, 1s);
    CHECK(limiter.take(1, 1, r, start).allowed);
    CHECK(limiter.take(2, 1, r, start).allowed);
    CHECK_FALSE(limiter.take(1, 1, r, start).allowed);
    CHECK(limiter.take(subject(0), 1, r, start).allowed);
}

TEST_CASE("a hash of 0, the tag of unused slots, is a subject like others") {
    rate_limiter limiter(16);
    const rate r(1, 1s);
    CHECK(limiter.take(0, 1, r, start).allowed);
    CHECK_FALSE(limiter.take(0, 1, r, start).allowed);
}

TEST_CASE("more than the burst is refused for good and takes nothing") {
    rate_limiter limiter(16);
    const rate r(1000, 60s);
    const auto d = limiter.take(1, 1001, r, start);
    CHECK_FALSE(d.allowed);
    CHECK(d.retry_after == 0s);
    CHECK(d.remaining == 1000);
    CHECK(limiter.take(1, 1000, r, start).allowed);
}

TEST_CASE("units given back can be taken again, but not more than were taken") {
    rate_limiter limiter(16);
    const rate r(100, 60s);
    CHECK(limiter.take(1, 80, r, start).allowed);
    limiter.give_back(1, 50, r, start);
    CHECK(limiter.take(1, 0, r, start).remaining == 70);
    limiter.give_back(1, 1000, r, start + 1s);
    CHECK(limiter.take(1, 0, r, start + 1s).remaining == 100);
    CHECK_FALSE(limiter.take(1, 101, r, start + 1s).allowed);
}

TEST_CASE("units used beyond the reservation are a debt that delays what comes next") {
    rate_limiter limiter(16);
    const rate r(60, 60s);
    CHECK(limiter.take(1, 60, r, start).allowed);
    limiter.charge(1, 30, r, start);
    CHECK_FALSE(limiter.take(1, 1, r, start + 30s).allowed);
    CHECK(limiter.take(1, 1, r, start + 31s).allowed);
    limiter.charge(2, std::int64_t{1} << 62, r, start);  // no overflow: the debt ends some day
    CHECK_FALSE(limiter.take(2, 1, r, start + 24h).allowed);
    CHECK(limiter.take(2, 1, r, start + 24h * 366).allowed);
}

TEST_CASE("a rate is never rounded up") {
    rate_limiter limiter(16);
    const rate r(7, 1s);
    std::int64_t admitted = 0;
    for (auto t = 0us; t < 10s; t += 500us) admitted += limiter.take(1, 1, r, start + t).allowed ? 1 : 0;
    CHECK(admitted >= 7 + 69);
    CHECK(admitted <= 7 + 70);
}

TEST_CASE("a full table says so, and idle subjects make room") {
    rate_limiter limiter(1);  // the smallest table: one window
    const rate r(1, 60s);
    for (std::uint64_t i = 1; i <= subject_table::window; ++i) CHECK(limiter.take(subject(i), 1, r, start).allowed);
    const auto refused = limiter.take(subject(1000), 1, r, start);
    CHECK(refused.table_full);
    CHECK_FALSE(refused.allowed);
    CHECK_FALSE(limiter.take(subject(1), 1, r, start).table_full);  // who is in stays in
    CHECK_FALSE(limiter.take(subject(1), 1, r, start).allowed);
    const auto later = limiter.take(subject(1000), 1, r, start + 61s);
    CHECK(later.allowed);
    CHECK_FALSE(limiter.take(subject(1000), 1, r, start + 61s).allowed);
}

TEST_CASE("many subjects through a small table keep their own counts") {
    rate_limiter limiter(500);
    const rate r(3, 1s);
    for (int round = 0; round < 5; ++round) {
        const steady_time now = start + round * 2s;  // everybody is idle again
        for (std::uint64_t i = 0; i < 500; ++i) {
            int admitted = 0;
            for (int k = 0; k < 5; ++k) {
                admitted += limiter.take(subject(i + 500 * static_cast<unsigned>(round)), 1, r, now).allowed ? 1 : 0;
            }
            REQUIRE(admitted == 3);
        }
    }
}

TEST_CASE("threads that race for a limit are admitted exactly up to it") {
    constexpr int threads = 4, tries = 2000, subjects = 20, rounds = 5;
    rate_limiter limiter(subjects);
    const rate r(500, 1s);
    for (int round = 0; round < rounds; ++round) {
        const steady_time now = start + round * 10s;
        std::vector<std::atomic<int>> admitted(subjects);
        std::vector<std::thread> racing;
        for (int t = 0; t < threads; ++t) {
            racing.emplace_back([&, t] {
                for (int i = 0; i < tries * subjects / threads; ++i) {
                    const int who = (i + t) % subjects;
                    const auto key = subject(static_cast<std::uint64_t>(who + round * subjects));
                    if (limiter.take(key, 1, r, now).allowed) admitted[static_cast<std::size_t>(who)]++;
                }
            });
        }
        for (auto& t : racing) t.join();
        for (const auto& n : admitted) REQUIRE(n == 500);
    }
}

TEST_CASE("threads that meet at the first request of a subject enter it once") {
    constexpr int threads = 3, rounds = 4000;
    rate_limiter limiter(rounds);
    const rate r(1, 1h);
    std::atomic<int> round{0}, admitted{0}, finished{0};
    std::vector<std::thread> racing;
    for (int t = 0; t < threads; ++t) {
        racing.emplace_back([&] {
            for (int mine = 1; mine <= rounds; ++mine) {
                while (round.load() < mine) std::this_thread::yield();
                if (limiter.take(subject(static_cast<std::uint64_t>(mine)), 1, r, start).allowed) admitted++;
                finished++;
            }
        });
    }
    int wrong = 0;
    for (int mine = 1; mine <= rounds; ++mine) {
        round = mine;
        while (finished.load() < mine * threads) std::this_thread::yield();
        wrong += admitted.exchange(0) == 1 ? 0 : 1;
    }
    for (auto& t : racing) t.join();
    CHECK(wrong == 0);
}

TEST_CASE("threads that take slots over from each other never charge another's subject") {
    // 160 subjects on 64 slots with one home, and a clock by which every subject is idle long before its thread
    // comes back to it. So nobody may be refused.
    constexpr int threads = 4, own = 40, tries = 40000;
    rate_limiter limiter(1);
    const rate r(1, 10us);
    std::atomic<std::int64_t> tick{0};
    std::atomic<int> refused{0}, full{0};
    std::vector<std::thread> racing;
    for (int t = 0; t < threads; ++t) {
        racing.emplace_back([&, t] {
            for (int i = 0; i < tries; ++i) {
                const auto who = static_cast<std::uint64_t>(t * own + i % own + 1) << 32;
                const auto d = limiter.take(who, 1, r, start + tick++ * 1us);
                refused += !d.allowed && !d.table_full ? 1 : 0;
                full += d.table_full ? 1 : 0;
            }
        });
    }
    for (auto& t : racing) t.join();
    CHECK(refused == 0);
    CHECK(full < threads * tries / 2);
}

TEST_CASE("places are given back when the hold dies") {
    concurrency_limiter limiter(16);
    auto first = limiter.take(1, 2);
    {
        auto second = limiter.take(1, 2);
        CHECK(first.place);
        CHECK(second.place);
        CHECK_FALSE(limiter.take(1, 2).place);
        CHECK(limiter.take(2, 2).place);
    }
    CHECK(limiter.take(1, 2).place);
}

TEST_CASE("a hold that is moved gives its place back once") {
    concurrency_limiter limiter(16);
    auto one = limiter.take(1, 1);
    concurrency_limiter::hold moved = std::move(one.place);
    CHECK_FALSE(limiter.take(1, 1).place);
    moved = concurrency_limiter::hold{};
    CHECK(limiter.take(1, 1).place);
    CHECK(limiter.take(1, 1).place);
}

TEST_CASE("no interleaving of threads lets more in at once than there are places") {
    constexpr int threads = 4;
    concurrency_limiter limiter(1);
    std::atomic<int> inside[3]{};
    std::atomic<int> most{0}, entered{0};
    std::vector<std::thread> racing;
    for (int t = 0; t < threads; ++t) {
        racing.emplace_back([&] {
            for (std::uint64_t i = 0; i < 20000; ++i) {
                // Other subjects come and go in the same slots.
                (void)limiter.take(subject(100 + i % 200), 1);
                const auto d = limiter.take(subject(i % 3), 2);
                if (!d.place) continue;
                const int now = ++inside[i % 3];
                int seen = most.load();
                while (now > seen && !most.compare_exchange_weak(seen, now)) {
                }
                ++entered;
                --inside[i % 3];
            }
        });
    }
    for (auto& t : racing) t.join();
    CHECK(entered > 0);
    CHECK(most <= 2);
    auto a = limiter.take(subject(0), 2), b = limiter.take(subject(0), 2);
    CHECK(a.place);
    CHECK(b.place);
}
