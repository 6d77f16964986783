#include "governance/tokens/conversation_tokens.hpp"

#include "unit/governance/tokens/rank_files.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::tokens;

namespace {

chat::conversation saying(chat::json text) {
    chat::conversation c;
    c.messages.push_back({chat::role::user, {{chat::text_part{text, {}, {}}}}, {}, {}, {}});
    return c;
}

conversation_tokens counted(const chat::conversation& c, const bpe_counter* counter, std::size_t step = 1U << 20U) {
    conversation_count counting{c, counter};
    while (counting.step(step)) {
    }
    return counting.sum();
}

bpe_counter made_up() {
    auto ranks = bpe_ranks::parse(rank_file({"ab", "abab"}));
    REQUIRE(ranks.has_value());
    return {encoding::o200k_base, *ranks};
}

}  // namespace

TEST_CASE("A message has four tokens and the answer three besides what is written") {
    const auto counter = made_up();
    CHECK(counted(chat::conversation{}, &counter).typical == 3);
    CHECK(counted(saying(R"("")"), &counter).typical == 7);
    CHECK(counted(saying(R"("abab")"), &counter).typical == 8);
    chat::conversation named = saying(R"("abab")");
    named.messages.front().name = R"("ab")";
    CHECK(counted(named, &counter).typical == 10);
}

TEST_CASE("Escapes are counted as what they say") {
    const auto counter = made_up();
    CHECK(counted(saying(R"("\u0061b\u0061b")"), &counter).typical == 8);
}

TEST_CASE("What surely is there are texts of messages and of results; tools and images are what is likely") {
    const auto counter = made_up();
    chat::conversation c = saying(R"("abab")");
    chat::tool_result r;
    r.content.push_back({chat::text_part{R"("ab")", {}, {}}});
    c.messages.front().content.push_back({r});
    const auto before = counted(c, &counter);
    CHECK(before.least == 3 + 3 + 1 + 1);
    CHECK(before.typical == before.least + 1 + 8);
    c.messages.front().content.push_back({chat::media_part{}});
    c.tools.push_back({chat::tool::kind::function, R"("ab")", R"("abab")", "{}", {}, {}, {}, {}, {}});
    c.messages.front().content.push_back({chat::reasoning_part{R"("abab")", {}, {}, {}, false, {}}});
    const auto after = counted(c, &counter);
    CHECK(after.least == before.least);
    CHECK(after.typical == before.typical + 1600 + 8 + 1 + 1 + 2 + 1);  // {} are two bytes
}

TEST_CASE("Without a tokenizer two thirds of the estimate are sure") {
    const chat::json text = R"("hello there, this is a sentence of ordinary words that anybody could have written")";
    const auto e = counted(saying(text), nullptr);
    CHECK(e.typical > 3 + 4 + 12);
    CHECK(e.least == 6 + (e.typical - 7) * 2 / 3);
}

TEST_CASE("Counting in steps of any size gives the same sum") {
    std::string text = "\"";
    for (int i = 0; i < 300; ++i) text += "ab abab \xe6\xbc\xa2\xe5\xad\x97 12 ";
    text += '"';
    const auto counter = made_up();
    const auto whole = counted(saying(text), &counter);
    for (const std::size_t step : {1U, 7U, 100U, 4096U}) {
        CHECK(counted(saying(text), &counter, step).typical == whole.typical);
        CHECK(counted(saying(text), &counter, step).least == whole.least);
    }
    // An estimate may round up at each cut.
    const auto guess = counted(saying(text), nullptr).typical;
    CHECK(counted(saying(text), nullptr, 64).typical >= guess);
    CHECK(counted(saying(text), nullptr, 64).typical < guess * 5 / 4);
}
