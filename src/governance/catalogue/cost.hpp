// What a request costs, exactly.
//
// Integers throughout: token counts times prices are summed in 128 bits as dollars * 1e-15, the batch factor is
// applied to the sum, and one division at the end rounds half up to a whole nano-dollar. So a bill differs from the
// true amount by at most half a nano-dollar, whatever its parts, and splitting a request in two changes the
// total by at most one.
#pragma once

#include "governance/catalogue/model_info.hpp"

#include <cstdint>

namespace sluice {
struct token_usage;
}

namespace sluice::catalogue {

// Some providers count thinking inside the answer's tokens (completion_tokens), others beside them
// (thoughtsTokenCount next to candidatesTokenCount).
enum class reasoning_counted : std::uint8_t { inside_output, beside_output };
enum class billing : std::uint8_t { live, batch };

// What was used, as all providers' reports can be written. A count below zero, a provider's "not said", is zero.
// Where the parts of input or output are more than the whole, the parts are what is billed.
//
// Providers that report the prompt without its cached part (input_tokens next to cache_read_input_tokens) have
// to be added up before.
struct billable_usage {
    std::int64_t input = 0;           // all prompt tokens, the next four included
    std::int64_t cached_input = 0;    // read from the provider's cache
    std::int64_t cache_write = 0;     // written for the default time
    std::int64_t cache_write_1h = 0;  // written for an hour
    std::int64_t audio_input = 0;     // speech that came from no cache
    std::int64_t output = 0;          // all tokens of the answer, speech included
    std::int64_t audio_output = 0;
    std::int64_t reasoning = 0;
    reasoning_counted reasoning_is = reasoning_counted::inside_output;
    std::int64_t requests = 1;
    std::int64_t images = 0;  // only where they are sold by the piece
    billing as = billing::live;
};
// What an exchange's own report says: there thinking is inside the answer, and cache writes are not counted.
billable_usage billable(const token_usage& usage);

// One bit per kind of thing that is billed.
enum class part : std::uint16_t {
    input = 1 << 0,
    cached_input = 1 << 1,
    cache_write = 1 << 2,
    cache_write_1h = 1 << 3,
    audio_input = 1 << 4,
    output = 1 << 5,
    reasoning = 1 << 6,
    audio_output = 1 << 7,
};
class parts {
public:
    void add(part p) { bits_ = static_cast<std::uint16_t>(bits_ | static_cast<std::uint16_t>(p)); }
    bool has(part p) const { return (bits_ & static_cast<std::uint16_t>(p)) != 0; }
    bool none() const { return bits_ == 0; }

private:
    std::uint16_t bits_ = 0;
};

struct bill {
    std::int64_t nano_dollars = 0;
    // The true amount is more than 64 bits hold; nano_dollars is the largest there is.
    bool saturated = false;
    // Used, but without a price and without one that could stand in: not in the amount, which is too low.
    parts unpriced;
    // Priced by a stand-in, since their own price is not known. Reading the cache, writing it and speech in the prompt
    // cost what input costs (writing for an hour: what writing costs, if that is known), speech in the answer what
    // output costs. The amount may be too high or too low.
    parts assumed;
};

// Thinking costs what output costs unless the model has a price of its own for it; that is no assumption. A
// batch without a factor costs the live price. A model that is sold by the request or image and has no price of
// tokens at all charges none for them. Needs prices that are not negative, as the reader makes them.
bill cost(const model_prices& prices, const billable_usage& usage);

// The prices of a prompt of so many tokens: the base with the last tier laid over it that the prompt exceeds.
token_prices prices_at(const model_prices& prices, std::int64_t prompt_tokens);

}  // namespace sluice::catalogue
