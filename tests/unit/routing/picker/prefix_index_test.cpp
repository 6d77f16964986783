#include "routing/picker/prefix_index.hpp"

#include "base/random.hpp"

#include <catch2/catch.hpp>

#include <numeric>
#include <thread>

using namespace sluice;
using namespace sluice::picker;

namespace {

using chain = std::vector<prefix_block>;

// Blocks of 256 bytes with names that depend on `which` from block `shared` on.
chain chain_of(std::uint64_t which, std::size_t blocks, std::size_t shared = 0) {
    chain c;
    for (std::size_t i = 0; i < blocks; ++i)
        c.push_back({stir((i < shared ? 7 : which) * 1'000'003 + i) | 2, static_cast<std::uint32_t>((i + 1) * 256)});
    return c;
}

std::size_t matched(const prefix_index& index, std::size_t slot, const chain& c) {
    prefix_match m;
    index.match(c, m);
    return m.blocks[slot];
}

}  // namespace

TEST_CASE("an index finds the leading blocks of a prompt at the endpoint where it was sent, and nowhere else") {
    prefix_index index({.endpoints = 8});
    const auto a = chain_of(1, 40, 10), b = chain_of(2, 30, 10);
    index.insert(3, a);
    CHECK(matched(index, 3, a) == 40);
    CHECK(matched(index, 4, a) == 0);
    CHECK(matched(index, 3, b) == 10);
    index.insert(4, b);
    CHECK(matched(index, 4, b) == 30);
    CHECK(matched(index, 4, a) == 10);
    CHECK(matched(index, 3, a) == 40);
    prefix_match m;
    index.match(b, m);
    CHECK(m.most == 30);
    index.match({}, m);
    CHECK(m.most == 0);
    CHECK(m.blocks[3] == 0);
}

TEST_CASE("256 endpoints are told apart") {
    prefix_index index({.endpoints = 256, .blocks_per_endpoint = 100});
    const auto c = chain_of(1, 50);
    for (std::size_t slot = 0; slot < 256; slot += 3) index.insert(slot, std::span(c).first(slot % 50 + 1));
    prefix_match m;
    index.match(c, m);
    for (std::size_t slot = 0; slot < 256; ++slot) CHECK(m.blocks[slot] == (slot % 3 == 0 ? slot % 50 + 1 : 0));
}

TEST_CASE("an endpoint that is found to keep less is believed") {
    prefix_index index({.endpoints = 4});
    const auto c = chain_of(1, 40);
    index.insert(0, c);
    index.insert(1, c);
    index.truncate(0, c, 12);
    CHECK(matched(index, 0, c) == 12);
    CHECK(matched(index, 1, c) == 40);
    index.insert(0, c);
    CHECK(matched(index, 0, c) == 40);
}

TEST_CASE("a wiped endpoint keeps nothing, and its entries are free again") {
    prefix_index index({.endpoints = 4});
    const auto c = chain_of(1, 40);
    index.insert(0, c);
    index.insert(1, c);
    index.insert(1, chain_of(2, 40));
    CHECK(index.entries() == 80);
    index.wipe(1);
    CHECK(matched(index, 1, c) == 0);
    CHECK(matched(index, 0, c) == 40);
    CHECK(index.entries() == 40);
    CHECK(index.fill(1) == 0);
    index.wipe(0);
    CHECK(index.entries() == 0);
}

TEST_CASE("an endpoint keeps as many bytes as it has room for, and forgets the oldest") {
    prefix_index index({.endpoints = 2, .blocks_per_endpoint = 10'000});
    index.set_capacity(0, 100 * 256);
    for (std::uint64_t i = 0; i < 20; ++i) index.insert(0, chain_of(i, 10));
    CHECK(index.entries() == 100);
    CHECK(index.fill(0) == Approx(1));
    for (std::uint64_t i = 0; i < 20; ++i) CHECK(matched(index, 0, chain_of(i, 10)) == (i < 10 ? 0 : 10));
}

TEST_CASE("the end of a prompt is forgotten before its beginning") {
    prefix_index index({.endpoints = 1});
    index.set_capacity(0, 100 * 256);
    const auto first = chain_of(1, 60);
    index.insert(0, first);
    index.insert(0, chain_of(2, 60));
    CHECK(matched(index, 0, first) == 40);
}

TEST_CASE("what is used again and again outlives what is not") {
    prefix_index index({.endpoints = 1});
    index.set_capacity(0, 100 * 256);
    const auto hot = chain_of(0, 20);
    std::size_t kept = 0;
    for (std::uint64_t i = 1; i < 100; ++i) {
        kept += matched(index, 0, hot);
        index.insert(0, hot);
        index.insert(0, chain_of(i, 10));
    }
    CHECK(kept >= 20 * 90);
}

TEST_CASE("large blocks count by their size") {
    prefix_index index({.endpoints = 1});
    index.set_capacity(0, 1'000'000);
    prefix_hasher h({});
    h.add(std::string(900'000, 'x'));
    index.insert(0, h.blocks());
    CHECK(index.fill(0) == Approx(0.9).margin(0.05));
}

TEST_CASE("a shortened index keeps to its memory") {
    const prefix_index large({.endpoints = 64, .blocks_per_endpoint = 20'000});
    CHECK(large.blocks_per_endpoint() == 20'000);
    CHECK(large.memory_bytes() <= 40'000'000);
    const prefix_index small({.endpoints = 256, .blocks_per_endpoint = 20'000, .memory_max = 8 << 20});
    CHECK(small.memory_bytes() <= 8 << 20);
    CHECK(small.blocks_per_endpoint() >= 450);
}

TEST_CASE("an index that holds all it may drops next to nothing") {
    prefix_index index({.endpoints = 64, .blocks_per_endpoint = 500});
    for (std::size_t slot = 0; slot < 64; ++slot) index.insert(slot, chain_of(slot + 100, 500));
    CHECK(index.dropped() == 0);
    CHECK(index.entries() == 64 * 500);
    for (std::size_t slot = 0; slot < 64; ++slot) CHECK(matched(index, slot, chain_of(slot + 100, 500)) == 500);
    for (std::size_t round = 1; round < 10; ++round)
        for (std::size_t slot = 0; slot < 64; ++slot) index.insert(slot, chain_of(slot + 1'000 * round, 500));
    CHECK(index.dropped() < 288);  // of 288,000
    CHECK(index.entries() <= 64 * 500);
}

TEST_CASE("eight threads that enter the same prompts lose none of them") {
    constexpr std::size_t threads = 8, chains = 60;
    prefix_index index({.endpoints = 64, .blocks_per_endpoint = 4'000});
    {
        std::vector<std::jthread> writers;
        for (std::size_t t = 0; t < threads; ++t)
            writers.emplace_back([&, t] {
                prefix_match m;
                for (std::size_t i = 0; i < chains; ++i) {
                    const auto c = chain_of(i, 50, 5);
                    for (std::size_t k = 0; k < 8; ++k) index.insert(t * 8 + k, c);
                    index.match(c, m);
                }
            });
    }
    CHECK(index.dropped() == 0);
    for (std::size_t slot = 0; slot < 64; ++slot)
        for (std::size_t i = 0; i < chains; ++i) REQUIRE(matched(index, slot, chain_of(i, 50, 5)) == 50);
}

TEST_CASE("eight threads that enter, forget and wipe at once leave nothing behind") {
    constexpr std::size_t threads = 8, endpoints = 4;
    prefix_index index({.endpoints = endpoints, .blocks_per_endpoint = 200});
    {
        std::vector<std::jthread> writers;
        for (std::size_t t = 0; t < threads; ++t)
            writers.emplace_back([&, t] {
                random_source random(t + 1);
                prefix_match m;
                for (int i = 0; i < 1'500; ++i) {
                    const auto c = chain_of(random.below(40), 20, 5);
                    const std::size_t slot = random.below(endpoints);
                    index.insert(slot, c);
                    index.match(c, m);
                    if (i % 7 == 0) index.truncate(slot, c, 10);
                    if (i % 301 == 0) index.wipe(slot);
                }
            });
    }
    for (std::size_t slot = 0; slot < endpoints; ++slot) {
        CHECK(index.fill(slot) <= 1);
        index.wipe(slot);
        for (std::uint64_t i = 0; i < 40; ++i) CHECK(matched(index, slot, chain_of(i, 20, 5)) == 0);
    }
    CHECK(index.entries() <= 8);
}
