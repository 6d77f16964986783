// 64-bit hashes of libxxhash, fast and without secrets: XXH64 for names, XXH3 for text. They tell texts apart; they do
// not withstand somebody who looks for collisions, so nothing but a guess may hang on them.
#pragma once

#define XXH_INLINE_ALL  // in the header alone: nothing to link, and short texts cost no call
#include <xxhash.h>

#include <cstdint>
#include <string_view>

namespace sluice::picker {

inline std::uint64_t xxh64(std::string_view text, std::uint64_t seed = 0) {
    return XXH64(text.data(), text.size(), seed);
}

inline std::uint64_t xxh3(std::string_view text) {
    return XXH3_64bits(text.data(), text.size());
}

// The same over a text that comes in pieces. After digest() it stands at the start again.
class xxh3_stream {
public:
    xxh3_stream() { XXH3_64bits_reset(&state_); }
    void add(std::string_view piece) {
        if (!piece.empty()) XXH3_64bits_update(&state_, piece.data(), piece.size());
    }
    std::uint64_t digest() {
        const std::uint64_t all = XXH3_64bits_digest(&state_);
        XXH3_64bits_reset(&state_);
        return all;
    }

private:
    XXH3_state_t state_;
};

// Stirs one number: what differs in any bit comes out different in about half of all bits.
constexpr std::uint64_t stir(std::uint64_t h) {
    h ^= h >> 33;
    h *= 0xc2b2ae3d27d4eb4fULL;
    h ^= h >> 29;
    h *= 0x165667b19e3779f9ULL;
    return h ^ (h >> 32);
}

}  // namespace sluice::picker
