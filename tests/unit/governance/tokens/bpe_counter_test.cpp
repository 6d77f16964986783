#include "governance/tokens/bpe_counter.hpp"

#include "governance/tokens/bpe_merge.hpp"
#include "unit/governance/tokens/rank_files.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace sluice::tokens;
using ids = std::vector<std::uint32_t>;

namespace {

std::shared_ptr<const bpe_ranks> made_up(std::initializer_list<std::string_view> tokens) {
    auto ranks = bpe_ranks::parse(rank_file(tokens));
    REQUIRE(ranks.has_value());
    return *ranks;
}

}  // namespace

TEST_CASE("The pair of the lowest rank is merged first, of equal ones the leftmost") {
    const auto ranks = made_up({"bc", "ab", "aa"});
    const bpe_counter counter{encoding::o200k_base, ranks};
    CHECK(counter.encode("xabcx") == ids{'x', 'a', 256, 'x'});
    CHECK(counter.encode("aaa") == ids{258, 'a'});
}

TEST_CASE("A piece that is a token is that token, even where merging would not find it") {
    const bpe_counter counter{encoding::o200k_base, made_up({"unreachable"})};
    CHECK(counter.encode("unreachable") == ids{256});
    CHECK(counter.count("unreachable?") == 2);
}

TEST_CASE("An empty text has no tokens") {
    const bpe_counter counter{encoding::cl100k_base, made_up({})};
    CHECK(counter.count("") == 0);
    CHECK(counter.encode("").empty());
}

TEST_CASE("Each byte that is no UTF-8 counts as U+FFFD") {
    const bpe_counter counter{encoding::o200k_base, made_up({"\xEF\xBF", "\xEF\xBF\xBD"})};
    CHECK(counter.encode("\xFF") == ids{257});
    CHECK(counter.encode("1\xE4\xB8"
                         "1") == ids{'1', 257, 257, '1'});
    CHECK(counter.encode("\xEF\xBF\xBD") == ids{257});
}

TEST_CASE("The short and the long way to merge agree") {
    const auto ranks =
        made_up({"aa", "ab", "ba", "aaaa", "aba", "bb", "abab", "bbb", "cab", "abc", "ca", "bc", "aaaaaa"});
    std::mt19937 random{7};
    for (int round = 0; round < 3000; ++round) {
        std::string piece;
        for (auto left = 1 + random() % short_piece_bytes_max; left > 0; --left) piece += "aaabbc"[random() % 6];
        ids by_short, by_long;
        const auto count = merge_short(*ranks, piece, &by_short);
        REQUIRE(merge_long(*ranks, piece, &by_long) == count);
        REQUIRE(by_short == by_long);
        REQUIRE(static_cast<std::size_t>(count) == by_short.size());
    }
}

TEST_CASE("A word without end is cut, and counted to its last byte") {
    const bpe_counter counter{encoding::o200k_base, made_up({"aa", "aaaa"})};
    const std::string word(2 * merged_bytes_max + 5, 'a');
    CHECK(counter.count(word) == merged_bytes_max / 2 + 2);
    CHECK(counter.encode(word).back() == 'a');
}

TEST_CASE("Counting in steps comes to the same, and each step is bounded") {
    const bpe_counter counter{encoding::o200k_base, made_up({"aa", "aaaa", " a", "no"})};
    const std::string text = "no aa\xFF no " + std::string(3 * merged_bytes_max, 'a') + " aa 1";
    stepwise_count counting{counter, text};
    int steps = 1;
    std::int64_t before = 0;
    while (counting.step(2)) {
        REQUIRE(counting.tokens() > before);
        REQUIRE(counting.tokens() - before <= static_cast<std::int64_t>(merged_bytes_max / 4 + 2));
        before = counting.tokens();
        ++steps;
    }
    CHECK(steps > 8);
    CHECK(counting.tokens() == counter.count(text));
    CHECK_FALSE(counting.step(2));
    CHECK(counting.tokens() == counter.count(text));
}

TEST_CASE("Published examples of o200k_base come out as published") {
    const auto ranks = published(encoding::o200k_base);
    if (!ranks) return;
    const bpe_counter counter{encoding::o200k_base, ranks};
    CHECK(counter.encode("hello world") == ids{24912, 2375});
    CHECK(counter.encode("tiktoken is great!") == ids{83, 8251, 2488, 382, 2212, 0});
    CHECK(counter.count("antidisestablishmentarianism") == 6);
    CHECK(counter.count("2 + 2 = 4") == 7);
    CHECK(counter.count("\u304A\u8A95\u751F\u65E5\u304A\u3081\u3067\u3068\u3046") == 8);  // happy birthday
}

TEST_CASE("Published examples of cl100k_base come out as published") {
    const auto ranks = published(encoding::cl100k_base);
    if (!ranks) return;
    const bpe_counter counter{encoding::cl100k_base, ranks};
    CHECK(counter.encode("hello world") == ids{15339, 1917});
    CHECK(counter.encode("tiktoken is great!") == ids{83, 1609, 5963, 374, 2294, 0});
    CHECK(counter.encode("antidisestablishmentarianism") == ids{519, 85342, 34500, 479, 8997, 2191});
    CHECK(counter.encode("2 + 2 = 4") == ids{17, 489, 220, 17, 284, 220, 19});
    CHECK(counter.encode("\u304A\u8A95\u751F\u65E5\u304A\u3081\u3067\u3068\u3046") ==
          ids{33334, 45918, 243, 21990, 9080, 33334, 62004, 16556, 78699});
}

TEST_CASE("What looks like a special token is text") {
    const auto ranks = published(encoding::cl100k_base);
    if (!ranks) return;
    const bpe_counter counter{encoding::cl100k_base, ranks};
    CHECK(counter.encode("<|endoftext|>") == ids{27, 91, 8862, 728, 428, 91, 29});
}

TEST_CASE("A megabyte of one letter is counted") {
    const auto ranks = published(encoding::o200k_base);
    if (!ranks) return;
    const bpe_counter counter{encoding::o200k_base, ranks};
    const auto count = counter.count(std::string(1U << 20U, 'a'));
    CHECK(count > 100'000);
    CHECK(count < 300'000);
}
