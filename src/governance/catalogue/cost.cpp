#include "governance/catalogue/cost.hpp"

#include <sluice/exchange.hpp>

#include <algorithm>
#include <limits>

namespace sluice::catalogue {
namespace {

__extension__ using wide = unsigned __int128;

constexpr wide millionth = 1'000'000;
constexpr wide scale = millionth * millionth;  // of the sum: per million tokens, times millionths of the factor
constexpr std::int64_t nano_max = std::numeric_limits<std::int64_t>::max();

// A sum that knows when it no longer fits. What does not fit 128 bits at this scale is more than 3e26
// nano-dollars, so that saturating early is never wrong.
class checked_sum {
public:
    void add(wide a, wide b) {
        wide product = 0;
        overflow_ = __builtin_mul_overflow(a, b, &product) || overflow_;
        overflow_ = __builtin_add_overflow(value_, product, &value_) || overflow_;
    }
    void multiply(wide factor) { overflow_ = __builtin_mul_overflow(value_, factor, &value_) || overflow_; }
    bool overflow() const { return overflow_; }
    wide value() const { return value_; }

private:
    wide value_ = 0;
    bool overflow_ = false;
};

wide count(std::int64_t tokens) {
    return tokens > 0 ? static_cast<wide>(tokens) : 0;
}

wide rest(wide whole, wide taken) {
    return whole > taken ? whole - taken : 0;
}

const price& first_known(const price& a, const price& b) {
    return a ? a : b;
}

// Adds tokens at their price and notes what had to stand in.
class biller {
public:
    biller(bill& made, bool tokens_are_sold) : made_(made), tokens_are_sold_(tokens_are_sold) {}

    void add(wide tokens, part what, const price& own, const price& stand_in = {}) {
        if (tokens == 0) return;
        if (!own && !stand_in) {
            if (tokens_are_sold_) made_.unpriced.add(what);
            return;
        }
        if (!own) made_.assumed.add(what);
        sum_.add(tokens, static_cast<wide>(*first_known(own, stand_in)));
    }
    checked_sum sum() const { return sum_; }

private:
    bill& made_;
    bool tokens_are_sold_;
    checked_sum sum_;
};

void overlay(price& base, const price& over) {
    if (over) base = over;
}

}  // namespace

token_prices prices_at(const model_prices& prices, std::int64_t prompt_tokens) {
    token_prices at = prices.base;
    const price_tier* reached = nullptr;
    for (const price_tier& tier : prices.tiers) {
        if (prompt_tokens > tier.above_tokens) reached = &tier;
    }
    if (reached == nullptr) return at;
    overlay(at.input, reached->prices.input);
    overlay(at.cached_input, reached->prices.cached_input);
    overlay(at.cache_write, reached->prices.cache_write);
    overlay(at.cache_write_1h, reached->prices.cache_write_1h);
    overlay(at.output, reached->prices.output);
    overlay(at.reasoning, reached->prices.reasoning);
    overlay(at.audio_input, reached->prices.audio_input);
    overlay(at.audio_output, reached->prices.audio_output);
    return at;
}

bill cost(const model_prices& prices, const billable_usage& usage) {
    const wide cached = count(usage.cached_input);
    const wide written = count(usage.cache_write);
    const wide written_1h = count(usage.cache_write_1h);
    const wide heard = count(usage.audio_input);
    const wide input_parts = cached + written + written_1h + heard;
    const wide prompt = std::max(count(usage.input), input_parts);
    const wide thought = count(usage.reasoning);
    const wide spoken = count(usage.audio_output);
    const wide output_parts = spoken + (usage.reasoning_is == reasoning_counted::inside_output ? thought : 0);

    const bool by_the_piece = prices.per_request || prices.per_image;
    const bool tokens_are_sold = prices.base.any() || !prices.tiers.empty() || !by_the_piece;
    const auto prompt_tokens = static_cast<std::int64_t>(std::min(prompt, static_cast<wide>(nano_max)));
    const token_prices at = prices_at(prices, prompt_tokens);

    bill made;
    biller tokens{made, tokens_are_sold};
    tokens.add(rest(prompt, input_parts), part::input, at.input);
    tokens.add(cached, part::cached_input, at.cached_input, at.input);
    tokens.add(written, part::cache_write, at.cache_write, at.input);
    tokens.add(written_1h, part::cache_write_1h, at.cache_write_1h, first_known(at.cache_write, at.input));
    tokens.add(heard, part::audio_input, at.audio_input, at.input);
    tokens.add(rest(count(usage.output), output_parts), part::output, at.output);
    tokens.add(thought, part::reasoning, first_known(at.reasoning, at.output));
    tokens.add(spoken, part::audio_output, at.audio_output, at.output);

    checked_sum sum = tokens.sum();
    const bool batch = usage.as == billing::batch && prices.batch_millionths;
    sum.multiply(batch ? static_cast<wide>(*prices.batch_millionths) : millionth);
    if (prices.per_request) sum.add(count(usage.requests), static_cast<wide>(*prices.per_request) * scale);
    if (prices.per_image) sum.add(count(usage.images), static_cast<wide>(*prices.per_image) * scale);

    const wide whole = sum.value() / scale;
    const wide nano = whole + (sum.value() % scale >= scale / 2 ? 1 : 0);
    made.saturated = sum.overflow() || nano > static_cast<wide>(nano_max);
    made.nano_dollars = made.saturated ? nano_max : static_cast<std::int64_t>(nano);
    return made;
}

billable_usage billable(const token_usage& usage) {
    billable_usage out;
    out.input = std::max<std::int64_t>(usage.input, 0);
    out.cached_input = std::max<std::int64_t>(usage.cached_input, 0);
    out.output = std::max<std::int64_t>(usage.output, 0);
    out.reasoning = std::max<std::int64_t>(usage.reasoning, 0);
    return out;
}

}  // namespace sluice::catalogue
