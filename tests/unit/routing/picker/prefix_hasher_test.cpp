#include "routing/picker/prefix_hasher.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <string>

using namespace sluice::picker;

namespace {

std::string prompt_of(std::size_t bytes) {
    std::string s;
    for (std::size_t i = 0; s.size() < bytes; ++i) s += std::to_string(i) + ' ';
    s.resize(bytes);
    return s;
}

std::vector<prefix_block> blocks_of(std::string_view prompt, const prefix_scope& scope = {.model = "m"}) {
    prefix_hasher h(scope);
    h.add(prompt);
    return h.finish();
}

}  // namespace

TEST_CASE("a prompt that is another's beginning has the beginning of its blocks") {
    const std::string text = prompt_of(400'000);
    const auto all = blocks_of(text);
    for (const std::size_t n : {255u, 256u, 5'000u, 32'768u, 33'000u, 100'000u, 399'999u}) {
        const auto some = blocks_of(std::string_view(text).substr(0, n));
        REQUIRE(some.size() <= all.size());
        CHECK(std::equal(some.begin(), some.end(), all.begin()));
        CHECK((some.empty() ? 0 : some.back().end) <= n);
        const std::size_t left = n - (some.empty() ? 0 : some.back().end);
        CHECK(left < prefix_hasher::block_size(n - left));
    }
}

TEST_CASE("how a prompt is sliced makes no difference") {
    const std::string text = prompt_of(70'000);
    const auto whole = blocks_of(text);
    for (const std::size_t piece : {1u, 7u, 31u, 32u, 33u, 256u, 5'000u}) {
        prefix_hasher h({.model = "m"});
        for (std::size_t at = 0; at < text.size(); at += piece) h.add(std::string_view(text).substr(at, piece));
        CHECK(h.bytes() == text.size());
        CHECK(h.finish() == whole);
    }
}

TEST_CASE("a byte that differs changes its block and all behind it, and none before") {
    std::string text = prompt_of(10'000);
    const auto before = blocks_of(text);
    text[3 * 256] ^= 1;
    const auto after = blocks_of(text);
    REQUIRE(before.size() == after.size());
    for (std::size_t i = 0; i < before.size(); ++i) CHECK((before[i].hash == after[i].hash) == (i < 3));
}

TEST_CASE("equal blocks at different places of a prompt have different names") {
    std::set<std::uint64_t> names;
    const auto blocks = blocks_of(std::string(8'192, 'x'));
    for (const auto& b : blocks) names.insert(b.hash);
    CHECK(names.size() == 32);
}

TEST_CASE("model, adapter, salt and tenant separate prompts of the same text") {
    const std::string text = prompt_of(256);
    std::set<std::uint64_t> names;
    const prefix_scope scopes[] = {
        {},
        {.model = "ab"},
        {.model = "a", .lora = "b"},
        {.lora = "ab"},
        {.cache_salt = "ab"},
        {.tenant = "ab"},
        {.seed = 1},
    };
    for (const auto& scope : scopes) names.insert(blocks_of(text, scope).front().hash);
    CHECK(names.size() == std::size(scopes));
}

TEST_CASE("blocks grow with the prompt, so that their number stays small") {
    CHECK(blocks_of(prompt_of(2'048)).size() == 8);
    CHECK(blocks_of(prompt_of(220'000)).size() < 240);
    CHECK(blocks_of(prompt_of(1'300'000)).size() < 320);
}

TEST_CASE("a prompt without end has a bounded number of blocks, and all its bytes are counted") {
    prefix_hasher h({});
    const std::string mb(1 << 20, 'x');
    for (int i = 0; i < 32; ++i) h.add(mb);
    CHECK(h.bytes() == 32u << 20);
    CHECK(h.blocks().size() == prefix_hasher::blocks_max);
}

TEST_CASE("media count as a fixed number of bytes, and their content makes a difference") {
    std::string picture(200'000, 'A');
    const auto name_of = [](std::string_view encoded) {
        prefix_hasher h({});
        h.add_media(encoded);
        CHECK(h.bytes() == prefix_hasher::media_bytes);
        return h.blocks().front().hash;
    };
    const auto one = name_of(picture);
    CHECK(name_of(picture) == one);
    picture[0] = 'B';
    CHECK(name_of(picture) != one);
    CHECK(name_of(picture.substr(1)) != one);
    CHECK(name_of("AAAA") != name_of("AAAB"));
}
