// XXH64 of Yann Collet (github.com/Cyan4973/xxHash, doc/xxhash_spec.md): a fast 64-bit hash without secrets. It tells
// texts apart; it does not withstand somebody who looks for collisions, so nothing but a guess may hang on it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::picker {

std::uint64_t xxh64(std::string_view text, std::uint64_t seed = 0);

// The same over a text that comes in pieces. After digest() it stands at the start again, with the same seed.
class xxh64_stream {
public:
    explicit xxh64_stream(std::uint64_t seed = 0) : seed_(seed) { restart(); }
    void add(std::string_view piece);
    std::uint64_t digest();

private:
    static constexpr std::size_t stripe = 32;
    void restart();

    std::uint64_t seed_;
    std::array<std::uint64_t, 4> lanes_;
    std::uint64_t length_;
    std::array<char, stripe> rest_;  // the first length_ % stripe bytes of it wait for the others of their stripe
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
