// XXH64 of libxxhash: a fast 64-bit hash without secrets. It tells texts apart; it does not withstand somebody who
// looks for collisions, so nothing but a guess may hang on it.
#pragma once

#define XXH_INLINE_ALL  // in the header alone: nothing to link, and short texts cost no call
#include <xxhash.h>

#include <cstdint>
#include <string_view>

namespace sluice::picker {

inline std::uint64_t xxh64(std::string_view text, std::uint64_t seed = 0) {
    return XXH64(text.data(), text.size(), seed);
}

// The same over a text that comes in pieces. After digest() it stands at the start again, with the same seed.
class xxh64_stream {
public:
    explicit xxh64_stream(std::uint64_t seed = 0) : seed_(seed) { XXH64_reset(&state_, seed_); }
    void add(std::string_view piece) {
        if (!piece.empty()) XXH64_update(&state_, piece.data(), piece.size());
    }
    std::uint64_t digest() {
        const std::uint64_t all = XXH64_digest(&state_);
        XXH64_reset(&state_, seed_);
        return all;
    }

private:
    std::uint64_t seed_;
    XXH64_state_t state_;
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
