#include "governance/catalogue/cost.hpp"

#include <sluice/exchange.hpp>

#include <catch2/catch.hpp>

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <random>

using namespace sluice;
using namespace sluice::catalogue;

namespace {

constexpr std::int64_t cent = nano_per_dollar / 100;
constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

std::int64_t dollars(double amount) {
    return static_cast<std::int64_t>(amount * static_cast<double>(nano_per_dollar) + 0.5);
}

// $3 and $15, reading the cache $0.30, writing it $3.75 or $6; above 200,000 tokens twice and 1.5 times that.
model_prices tiered() {
    model_prices p;
    p.base.input = dollars(3);
    p.base.cached_input = dollars(0.3);
    p.base.cache_write = dollars(3.75);
    p.base.cache_write_1h = dollars(6);
    p.base.output = dollars(15);
    price_tier tier;
    tier.above_tokens = 200'000;
    tier.prices.input = dollars(6);
    tier.prices.cached_input = dollars(0.6);
    tier.prices.output = dollars(22.5);
    p.tiers.push_back(tier);
    p.batch_millionths = 500'000;
    return p;
}

model_prices flat(std::int64_t input, std::int64_t output) {
    model_prices p;
    p.base.input = input;
    p.base.output = output;
    return p;
}

std::int64_t amount(const model_prices& prices, const billable_usage& usage) {
    const bill made = cost(prices, usage);
    CHECK_FALSE(made.saturated);
    CHECK(made.unpriced.none());
    return made.nano_dollars;
}

}  // namespace

TEST_CASE("a plain bill is tokens times price") {
    billable_usage u;
    u.input = 1000;
    u.output = 500;
    // 1000 * $3/M = 0.003, 500 * $15/M = 0.0075
    CHECK(amount(tiered(), u) == 10'500'000);
    u.requests = 7;  // no price per request
    CHECK(amount(tiered(), u) == 10'500'000);
    CHECK(amount(tiered(), {}) == 0);
}

TEST_CASE("cached and written tokens are parts of the input and have prices of their own") {
    billable_usage u;
    u.input = 100'000;
    u.cached_input = 80'000;
    u.cache_write = 10'000;
    u.cache_write_1h = 5'000;
    u.output = 1'000;
    // 5,000*3 + 80,000*0.3 + 10,000*3.75 + 5,000*6 + 1,000*15 = 15,000+24,000+37,500+30,000+15,000 = 121,500 micro-$
    CHECK(amount(tiered(), u) == 121'500'000);
    CHECK(cost(tiered(), u).assumed.none());
}

TEST_CASE("a long prompt pays the tier's prices for the whole request, a prompt at its edge does not") {
    billable_usage u;
    u.input = 200'000;
    u.output = 1'000;
    CHECK(amount(tiered(), u) == 615'000'000);  // 0.6 + 0.015
    u.input = 200'001;
    CHECK(amount(tiered(), u) == 1'222'506'000);  // 200,001 * 6 + 1,000 * 22.5 = 1,200,006 + 22,500 micro-$
    // Cached tokens count as prompt: 150,001 fresh and 50,000 cached.
    u.cached_input = 50'000;
    CHECK(amount(tiered(), u) == 952'506'000);  // 900,006 + 30,000 + 22,500
    // A price the tier leaves out is the base's.
    u.cached_input = 0;
    u.cache_write = 1;
    CHECK(amount(tiered(), u) == 1'222'503'750);  // 200,000 * 6 + 3.75 + 22,500
}

TEST_CASE("of several tiers the last one that the prompt exceeds holds") {
    model_prices p = flat(dollars(1), 0);
    p.tiers = {{32'000, {}}, {128'000, {}}};
    p.tiers[0].prices.input = dollars(2);
    p.tiers[1].prices.input = dollars(4);
    CHECK(*prices_at(p, 32'000).input == dollars(1));
    CHECK(*prices_at(p, 32'001).input == dollars(2));
    CHECK(*prices_at(p, 128'000).input == dollars(2));
    CHECK(*prices_at(p, 128'001).input == dollars(4));
    CHECK(*prices_at(p, most).input == dollars(4));
    CHECK(*prices_at(p, 128'001).output == 0);
}

TEST_CASE("thinking inside the output is not billed twice, beside it is billed as well") {
    billable_usage u;
    u.output = 1'000;
    u.reasoning = 400;
    CHECK(amount(tiered(), u) == 15'000'000);
    CHECK(cost(tiered(), u).assumed.none());
    u.reasoning_is = reasoning_counted::beside_output;
    CHECK(amount(tiered(), u) == 21'000'000);

    model_prices p = tiered();
    p.base.reasoning = dollars(5);
    CHECK(amount(p, u) == 17'000'000);  // 1,000 * 15 + 400 * 5
    u.reasoning_is = reasoning_counted::inside_output;
    CHECK(amount(p, u) == 11'000'000);  // 600 * 15 + 400 * 5
}

TEST_CASE("speech has prices of its own on both sides") {
    model_prices p = flat(dollars(4), dollars(16));
    p.base.audio_input = dollars(32);
    p.base.audio_output = dollars(64);
    billable_usage u;
    u.input = 1'000;
    u.audio_input = 900;
    u.output = 500;
    u.audio_output = 400;
    // 100*4 + 900*32 + 100*16 + 400*64 = 400 + 28,800 + 1,600 + 25,600 micro-$
    CHECK(amount(p, u) == 56'400'000);
}

TEST_CASE("a batch pays its factor on tokens, not on what is sold by the piece") {
    model_prices p = tiered();
    p.per_request = cent;
    p.per_image = 4 * cent;
    billable_usage u;
    u.input = 1'000'000 / 10;
    u.images = 2;
    CHECK(amount(p, u) == dollars(0.3) + 9 * cent);
    u.as = billing::batch;
    CHECK(amount(p, u) == dollars(0.15) + 9 * cent);
    p.batch_millionths.reset();
    CHECK(amount(p, u) == dollars(0.3) + 9 * cent);
}

TEST_CASE("a reranker is billed by the search and by nothing else") {
    model_prices p;
    p.per_request = 2'000'000;  // $2 per thousand
    billable_usage u;
    u.requests = 3;
    u.input = 5'000;
    CHECK(amount(p, u) == 6'000'000);
}

TEST_CASE("the amount is rounded once, half up") {
    // One token at 1 nano-dollar per million is a millionth of a nano-dollar.
    billable_usage u;
    u.input = 499'999;
    CHECK(amount(flat(1, 1), u) == 0);
    u.input = 500'000;
    CHECK(amount(flat(1, 1), u) == 1);
    // 0.4 each: rounded by itself either is nothing, together they are one.
    u.input = 400'000;
    u.output = 400'000;
    CHECK(amount(flat(1, 1), u) == 1);
    // The factor comes before the rounding: 0.8 * 0.5 = 0.4.
    model_prices p = flat(1, 1);
    p.batch_millionths = 500'000;
    u.as = billing::batch;
    CHECK(amount(p, u) == 0);
}

TEST_CASE("what has no price is named, and is not free of charge by silence") {
    billable_usage u;
    u.input = 10;
    u.output = 10;
    const bill nothing = cost({}, u);
    CHECK(nothing.nano_dollars == 0);
    CHECK(nothing.unpriced.has(part::input));
    CHECK(nothing.unpriced.has(part::output));

    model_prices p;
    p.base.output = dollars(1);
    const bill half = cost(p, u);
    CHECK(half.nano_dollars == 10'000);
    CHECK(half.unpriced.has(part::input));
    CHECK_FALSE(half.unpriced.has(part::output));

    model_prices free_of_charge = flat(0, 0);
    CHECK(amount(free_of_charge, u) == 0);
}

TEST_CASE("a price that is not known is stood in for, and that is said") {
    const model_prices p = flat(dollars(2), dollars(8));
    billable_usage u;
    u.input = 100;
    u.cached_input = 40;
    u.cache_write = 30;
    u.cache_write_1h = 20;
    u.audio_input = 10;
    u.output = 10;
    u.audio_output = 10;
    const bill made = cost(p, u);
    CHECK(made.nano_dollars == 280'000);  // 100 * 2 + 10 * 8 micro-$
    CHECK(made.unpriced.none());
    for (const part each :
         {part::cached_input, part::cache_write, part::cache_write_1h, part::audio_input, part::audio_output}) {
        CHECK(made.assumed.has(each));
    }
    CHECK_FALSE(made.assumed.has(part::input));

    model_prices writes = p;
    writes.base.cache_write = dollars(2.5);
    CHECK(cost(writes, u).nano_dollars == 280'000 + 25'000);  // 50 tokens half a dollar per million dearer
    CHECK_FALSE(cost(writes, u).assumed.has(part::cache_write));
    CHECK(cost(writes, u).assumed.has(part::cache_write_1h));
}

TEST_CASE("counts that contradict each other are billed by the parts, and counts below zero not at all") {
    billable_usage u;
    u.input = 10;
    u.cached_input = 100;
    u.output = 5;
    u.reasoning = 50;
    CHECK(amount(tiered(), u) == 100 * 300 + 50 * 15'000);
    u = {};
    u.input = -1;
    u.cached_input = -5;
    u.output = std::numeric_limits<std::int64_t>::min();
    u.requests = -1;
    CHECK(amount(tiered(), u) == 0);
}

TEST_CASE("an amount beyond 64 bits is the largest there is, and says so") {
    billable_usage u;
    u.input = most;
    const bill large = cost(flat(1'000'000, 0), u);  // one nano-dollar per token: just fits
    CHECK_FALSE(large.saturated);
    CHECK(large.nano_dollars == most);

    u.output = 1'000'000;
    const bill over = cost(flat(1'000'000, 1), u);  // one more
    CHECK(over.saturated);
    CHECK(over.nano_dollars == most);

    billable_usage all;
    all.input = all.cached_input = all.cache_write = all.cache_write_1h = all.audio_input = most;
    all.output = all.reasoning = all.audio_output = all.requests = all.images = most;
    all.reasoning_is = reasoning_counted::beside_output;
    model_prices dear = flat(price_max, price_max);
    dear.per_request = dear.per_image = price_max;
    CHECK(cost(dear, all).saturated);
    CHECK(cost(dear, all).nano_dollars == most);
    dear = flat(most, most);
    CHECK(cost(dear, all).saturated);
}

TEST_CASE("an exchange's report is billed as it is, and what it does not say is nothing") {
    token_usage reported;
    reported.input = 1'000;
    reported.cached_input = 600;
    reported.output = 200;
    reported.reasoning = 150;
    CHECK(amount(tiered(), billable(reported)) == 400 * 3'000 + 600 * 300 + 200 * 15'000);
    CHECK(amount(tiered(), billable(token_usage{})) == 0);
}

namespace {

// Counts and prices from a few tokens to more than any request has, so that small remainders and tiers both occur.
class draws {
public:
    std::int64_t tokens() { return static_cast<std::int64_t>(random_() >> (44 + random_() % 20)); }
    model_prices prices() {
        model_prices p;
        p.base = {price_of(), price_of(), price_of(), price_of(), price_of(), price_of(), price_of(), price_of()};
        return p;
    }
    billable_usage usage() {
        billable_usage u;
        u.cached_input = tokens();
        u.cache_write = tokens();
        u.cache_write_1h = tokens();
        u.audio_input = tokens();
        u.input = u.cached_input + u.cache_write + u.cache_write_1h + u.audio_input + tokens();
        u.reasoning = tokens();
        u.audio_output = tokens();
        u.output = u.reasoning + u.audio_output + tokens();
        u.as = random_() % 2 == 0 ? billing::live : billing::batch;
        return u;
    }

private:
    std::int64_t price_of() { return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(dollars(100))); }
    std::mt19937_64 random_{7};
};

billable_usage sum(billable_usage a, const billable_usage& b) {
    a.input += b.input;
    a.cached_input += b.cached_input;
    a.cache_write += b.cache_write;
    a.cache_write_1h += b.cache_write_1h;
    a.audio_input += b.audio_input;
    a.output += b.output;
    a.reasoning += b.reasoning;
    a.audio_output += b.audio_output;
    return a;
}

}  // namespace

TEST_CASE("the bill of two requests together is the sum of their bills within one nano-dollar") {
    draws d;
    for (int i = 0; i < 5'000; ++i) {
        model_prices p = d.prices();
        p.batch_millionths = 1 + d.tokens() % 1'000'000;
        const billable_usage a = d.usage();
        billable_usage b = d.usage();
        b.as = a.as;
        const std::int64_t parts_apart = amount(p, a) + amount(p, b);
        REQUIRE(std::abs(amount(p, sum(a, b)) - parts_apart) <= 1);
    }
}

TEST_CASE("using more never costs less where a tier is not cheaper") {
    draws d;
    for (int i = 0; i < 5'000; ++i) {
        model_prices p = d.prices();
        price_tier tier{100'000, p.base};
        *tier.prices.input += d.tokens();
        *tier.prices.output += d.tokens();
        p.tiers.push_back(tier);
        const billable_usage less = d.usage();
        billable_usage more = sum(less, d.usage());
        REQUIRE(amount(p, more) >= amount(p, less));
    }
}
