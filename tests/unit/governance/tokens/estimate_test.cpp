#include "governance/tokens/estimate.hpp"

#include "config/file_text.hpp"
#include "governance/tokens/bpe_counter.hpp"
#include "unit/governance/tokens/rank_files.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace sluice::tokens;

TEST_CASE("A short English word is a token, a long one more") {
    CHECK(estimate("hello world").typical == 2);
    CHECK(estimate("a house").typical == 2);
    CHECK(estimate("a castle").typical == 3);
    CHECK(estimate("Maybe 12345.").typical == 5);
    CHECK(estimate("internationalization").typical == 4);
    CHECK(estimate("").typical == 0);
}

TEST_CASE("Characters of more bytes count for more") {
    CHECK(estimate("\u4E2D\u6587\u5B57\u7B26\u6D4B\u8BD5").typical == 4);
    CHECK(estimate("\u043F\u0440\u0438\u0432\u0435\u0442").typical == 3);
    CHECK(estimate("\U0001F600").typical == 2);
}

TEST_CASE("Blanks of any number cost little") {
    CHECK(estimate(std::string(50, ' ')).typical == 1);
    CHECK(estimate(std::string(600, '\n')).typical == 10);
}

TEST_CASE("The upper bound is a token per byte and one more, and three for a byte that is no UTF-8") {
    CHECK(estimate("").upper == 1);
    CHECK(estimate("hello").upper == 6);
    CHECK(estimate("\U0001F600").upper == 5);
    CHECK(estimate("a\xFF").upper == 5);
}

TEST_CASE("The typical estimate never exceeds the upper bound") {
    std::mt19937 random{3};
    for (int round = 0; round < 2000; ++round) {
        std::string text;
        for (auto left = random() % 30; left > 0; --left) text += static_cast<char>(random());
        const auto e = estimate(text);
        REQUIRE(e.typical >= 0);
        REQUIRE(e.typical <= e.upper);
    }
}

TEST_CASE("The estimate of prose and code leans high, by less than a third") {
    const auto ranks = published(encoding::o200k_base);
    if (!ranks) return;
    const bpe_counter counter{encoding::o200k_base, ranks};
    for (const auto file : {"/docs/quickstart.md", "/docs/stages.md", "/src/governance/limiter.cpp", "/README.md"}) {
        const auto text = sluice::config::read_file(std::string{SLUICE_SOURCE_DIR} + file, 1U << 20U);
        REQUIRE(text.has_value());
        const auto exact = static_cast<double>(counter.count(*text));
        const auto guess = static_cast<double>(estimate(*text).typical);
        INFO(file << ": " << exact << " tokens, estimated " << guess);
        CHECK(guess > 0.95 * exact);
        CHECK(guess < 1.33 * exact);
    }
}
