// The catalogue that is shipped, held to what must be true of any.
#include "governance/catalogue/cost.hpp"
#include "governance/catalogue/model_catalogue.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <string>
#include <vector>

using namespace sluice;
using namespace sluice::catalogue;

namespace {

const model_catalogue& shipped() {
    static const catalogue_load loaded = [] {
        catalogue_config config;
        config.file = "models.yaml";
        return load(config, SLUICE_SOURCE_DIR "/config");
    }();
    for (const config::problem& p : loaded.report.problems) UNSCOPED_INFO(config::to_string(p));
    REQUIRE(loaded.made != nullptr);
    return *loaded.made;
}

void check_prices(const token_prices& p) {
    if (p.input) {
        if (p.cached_input) CHECK(*p.cached_input <= *p.input);
        if (p.cache_write) CHECK(*p.cache_write >= *p.input);
        if (p.audio_input) CHECK(*p.audio_input >= *p.input);
        if (p.output) CHECK(*p.output >= *p.input);
    }
    if (p.cache_write && p.cache_write_1h) CHECK(*p.cache_write_1h >= *p.cache_write);
    if (p.output && p.audio_output) CHECK(*p.audio_output >= *p.output);
}

std::string bare(const std::string& alias) {
    std::string out;
    for (const char c : alias) out += c == '*' ? "20261123" : c == '?' ? "1" : std::string(1, c);
    return out;
}

}  // namespace

TEST_CASE("the catalogue that is shipped loads without a problem") {
    CHECK(shipped().models().size() >= 80);
}

TEST_CASE("every shipped model says who serves it, what it is called and what it is for") {
    for (const model_info& m : shipped().models()) {
        CAPTURE(m.name);
        CHECK_FALSE(m.provider.empty());
        CHECK_FALSE(m.family.empty());
        const bool made_for_something =
            m.can.get(capability::chat).value_or(false) || m.can.get(capability::embeddings).value_or(false) ||
            m.can.get(capability::rerank).value_or(false) || m.can.get(capability::audio_out).value_or(false);
        CHECK(made_for_something);
    }
}

TEST_CASE("no shipped answer is longer than its window") {
    for (const model_info& m : shipped().models()) {
        CAPTURE(m.name);
        CHECK(m.context_tokens >= 0);
        CHECK(m.output_tokens_max >= 0);
        if (m.context_tokens > 0) CHECK(m.output_tokens_max <= m.context_tokens);
        for (const price_tier& t : m.prices.tiers) {
            if (m.context_tokens > 0) CHECK(t.above_tokens < m.context_tokens);
        }
    }
}

TEST_CASE("shipped prices stand in the order that prices do, and longer prompts are never cheaper") {
    for (const model_info& m : shipped().models()) {
        CAPTURE(m.name);
        check_prices(m.prices.base);
        std::int64_t input = m.prices.base.input.value_or(0);
        std::int64_t output = m.prices.base.output.value_or(0);
        for (const price_tier& t : m.prices.tiers) {
            const token_prices at = prices_at(m.prices, t.above_tokens + 1);
            check_prices(at);
            CHECK(at.input.value_or(0) >= input);
            CHECK(at.output.value_or(0) >= output);
            input = at.input.value_or(0);
            output = at.output.value_or(0);
        }
    }
}

TEST_CASE("a shipped model with a price of input has one of output, unless it makes none") {
    for (const model_info& m : shipped().models()) {
        CAPTURE(m.name);
        const bool writes = !m.can.get(capability::embeddings).value_or(false);
        if (m.prices.base.input) CHECK(m.prices.base.output.has_value() == writes);
        if (m.prices.base.output) CHECK(m.prices.base.input.has_value());
        if (m.can.get(capability::rerank).value_or(false)) CHECK_FALSE(m.prices.base.any());
    }
}

TEST_CASE("every shipped name and alias leads to its own model") {
    const model_catalogue& c = shipped();
    std::set<std::string> names;
    for (const model_info& m : c.models()) {
        CAPTURE(m.name);
        CHECK(names.insert(m.name).second);
        CHECK(c.find(m.name) == &m);
        for (const std::string& alias : m.aliases) {
            CAPTURE(alias);
            CHECK(names.insert(alias).second);
            CHECK(c.find(bare(alias)) == &m);
        }
    }
}

TEST_CASE("bills by the shipped prices are those of the price lists") {
    const auto bill_of = [](std::string_view name, std::int64_t input, std::int64_t cached, std::int64_t output) {
        const model_info* m = shipped().find(name);
        REQUIRE(m != nullptr);
        billable_usage u;
        u.input = input;
        u.cached_input = cached;
        u.output = output;
        const bill made = cost(m->prices, u);
        CHECK(made.unpriced.none());
        CHECK(made.assumed.none());
        return made.nano_dollars;
    };
    // 600 * 2.50 + 400 * 1.25 + 200 * 10 = 4,000 micro-dollars
    CHECK(bill_of("gpt-4o-2024-08-06", 1'000, 400, 200) == 4'000'000);
    // 90,000 * 0.10 + 10,000 * 0.01 + 1,000 * 0.50 = 9,600; one token more: 90,001 * 0.50 + 10,000 * 0.05 + 1,000
    // * 2.50
    CHECK(bill_of("claude-haiku-5-5", 100'000, 10'000, 1'000) == 9'600'000);
    CHECK(bill_of("claude-haiku-5-5", 100'001, 10'000, 1'000) == 48'000'500);
    // 200,000 tokens reach xAI's tier: 200,000 * 2.50 + 100 * 5
    CHECK(bill_of("grok-4.20", 200'000, 0, 100) == 500'500'000);
    CHECK(bill_of("text-embedding-3-small", 1'000, 0, 0) == 20'000);
}
