// Tokens that an answer cost.
#pragma once

#include <cstdint>

namespace sluice {

// Tokens of one exchange as its upstream reported them; -1: not reported.
struct token_usage {
    std::int64_t input = -1;
    std::int64_t output = -1;
    std::int64_t cached_input = -1;    // part of input: read from the provider's cache
    std::int64_t reasoning = -1;       // part of output
    std::int64_t cache_write = -1;     // part of input: written to the provider's cache, kept for any time
    std::int64_t cache_write_1h = -1;  // part of cache_write: kept for an hour
    std::int64_t audio_input = -1;     // part of input
    std::int64_t audio_output = -1;    // part of output
    bool operator==(const token_usage&) const = default;
    bool reported() const { return input >= 0 || output >= 0; }
};

}  // namespace sluice
