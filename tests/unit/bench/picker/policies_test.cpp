#include "picker/block_lru.hpp"
#include "picker/policy.hpp"
#include "picker/random.hpp"

#include <catch2/catch.hpp>

#include <list>

using namespace sluice::picker_bench;

namespace {

// One policy and what it is asked with.
struct bench {
    explicit bench(std::string_view name, std::size_t n = 4)
        : chooser(make_policy(name, {.endpoints = n, .seed = 1})), endpoints(n, {.kv_tokens = 300'000}) {}

    // A prompt of `blocks` blocks; texts that are equal up to `common` share those.
    std::size_t ask(std::uint64_t text, std::size_t blocks = 10, std::size_t common = 0) {
        names.emplace_back();
        for (std::size_t b = 0; b < blocks; ++b) names.back().push_back(stirred((b < common ? 0 : text) * 1000 + b));
        const arrival a{.id = ++id, .blocks = names.back(), .prompt_tokens = static_cast<std::uint32_t>(blocks * 64)};
        return chooser->choose(a, endpoints, 0);
    }
    void done(std::uint64_t which) { chooser->on_done(which, {640, 0, 10}, 1); }

    std::unique_ptr<policy> chooser;
    std::vector<endpoint_info> endpoints;
    std::list<std::vector<std::uint64_t>> names;
    std::uint64_t id = 0;
};

}  // namespace

TEST_CASE("no policy chooses an endpoint that is not ready") {
    for (const std::string_view name : policy_names()) {
        CAPTURE(name);
        bench b(name);
        const std::size_t home = b.ask(1);
        for (std::size_t e = 0; e < 4; ++e) b.endpoints[e].ready = e == (home + 1) % 4;
        for (std::uint64_t text = 1; text < 20; ++text) CHECK(b.ask(text) == (home + 1) % 4);
    }
}

TEST_CASE("round robin goes around") {
    bench b("round-robin");
    const std::size_t first = b.ask(1);
    for (std::size_t i = 1; i < 9; ++i) CHECK(b.ask(1) == (first + i) % 4);
}

TEST_CASE("least request knows what has ended") {
    bench b("least-request", 2);
    const std::size_t first = b.ask(1);
    CHECK(b.ask(1) == 1 - first);
    b.done(1);
    CHECK(b.ask(1) == first);
    b.chooser->on_failed(2, 1);
    CHECK(b.ask(1) == 1 - first);
}

TEST_CASE("the EPP policy weighs 3 for the prompt, 2 for the queue and 2 for the memory") {
    bench b("epp", 2);
    const std::size_t home = b.ask(1);
    CHECK(b.ask(1) == home);
    // The whole prompt is kept: 3 against 2 x 0.9 for free memory.
    b.endpoints[home].kv_use = 0.9;
    CHECK(b.ask(1) == home);
    // The longest queue costs another 2.
    b.endpoints[home].waiting = 1;
    CHECK(b.ask(1) == 1 - home);
    // Half the prompt, 1.5, does not outweigh it either way.
    bench half("epp", 2);
    const std::size_t kept = half.ask(1, 10, 5);
    half.endpoints[kept].kv_use = 0.7;
    CHECK(half.ask(2, 10, 5) == kept);
    bench other("epp", 2);
    const std::size_t there = other.ask(1, 10, 5);
    other.endpoints[there].kv_use = 0.8;
    CHECK(other.ask(2, 10, 5) == 1 - there);
}

TEST_CASE("the cache-aware policy follows the prompt above 0.3 and the least text below") {
    bench b("cache-aware", 2);
    const std::size_t home = b.ask(1, 10);
    CHECK(b.ask(2, 10, 0) == 1 - home);
    CHECK(b.ask(1, 10) == home);
    bench most("cache-aware", 2);
    const std::size_t there = most.ask(1, 100, 4);
    CHECK(most.ask(2, 10, 4) == there);      // 0.4 of it
    CHECK(most.ask(3, 20, 4) == 1 - there);  // 0.2: the other got less so far
}

TEST_CASE("the cache-aware policy evens out more than 64 requests of difference") {
    bench b("cache-aware", 2);
    const std::size_t home = b.ask(1);
    for (int i = 1; i < 65; ++i) REQUIRE(b.ask(1) == home);
    CHECK(b.ask(1) == 1 - home);
}

TEST_CASE("the oldest blocks are forgotten first") {
    block_lru l(3);
    for (const std::uint64_t name : {1U, 2U, 3U}) l.use(name);
    l.use(1);
    l.use(4);
    CHECK(l.size() == 4);
    l.shrink();
    CHECK(l.size() == 3);
    CHECK(!l.contains(2));
    CHECK(l.contains(1));
    CHECK(l.contains(3));
    CHECK(l.contains(4));
    l.clear();
    CHECK(l.size() == 0);
    CHECK(!l.contains(1));
}

TEST_CASE("a list of blocks forgets what a plain one forgets") {
    constexpr std::size_t capacity = 700;
    block_lru l(capacity);
    std::list<std::uint64_t> plain;  // oldest first
    random_numbers random(1);
    for (int i = 0; i < 20'000; ++i) {
        // Few enough low bits that names collide in the table.
        const std::uint64_t name = 1 + random.below(1'000) * 64;
        l.use(name);
        l.shrink();
        plain.remove(name);
        plain.push_back(name);
        if (plain.size() > capacity) plain.pop_front();
    }
    REQUIRE(l.size() == plain.size());
    for (const std::uint64_t name : plain) REQUIRE(l.contains(name));
}
