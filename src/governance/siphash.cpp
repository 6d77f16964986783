#include "governance/siphash.hpp"

#include <openssl/rand.h>

#include <bit>
#include <cstring>
#include <stdexcept>

namespace sluice {
namespace {

struct state {
    std::uint64_t v0, v1, v2, v3;

    void round() {
        v0 += v1;
        v1 = std::rotl(v1, 13) ^ v0;
        v0 = std::rotl(v0, 32);
        v2 += v3;
        v3 = std::rotl(v3, 16) ^ v2;
        v0 += v3;
        v3 = std::rotl(v3, 21) ^ v0;
        v2 += v1;
        v1 = std::rotl(v1, 17) ^ v2;
        v2 = std::rotl(v2, 32);
    }
    void absorb(std::uint64_t word) {
        v3 ^= word;
        round();
        round();
        v0 ^= word;
    }
};

// Little-endian, as the test vectors want it; `n` of at most 8 bytes.
std::uint64_t load(const char* p, std::size_t n) {
    static_assert(std::endian::native == std::endian::little);
    std::uint64_t word = 0;
    std::memcpy(&word, p, n);
    return word;
}

}  // namespace

siphash_key random_siphash_key() {
    siphash_key key;
    if (RAND_bytes(reinterpret_cast<unsigned char*>(&key), sizeof key) != 1) {
        throw std::runtime_error("OpenSSL: no randomness");
    }
    return key;
}

std::uint64_t siphash(const siphash_key& key, std::string_view text) {
    state s{key.k0 ^ 0x736f6d6570736575, key.k1 ^ 0x646f72616e646f6d, key.k0 ^ 0x6c7967656e657261,
            key.k1 ^ 0x7465646279746573};
    const char* p = text.data();
    std::size_t left = text.size();
    for (; left >= 8; p += 8, left -= 8) s.absorb(load(p, 8));
    s.absorb((left > 0 ? load(p, left) : 0) | (static_cast<std::uint64_t>(text.size()) << 56));
    s.v2 ^= 0xff;
    for (int i = 0; i < 4; ++i) s.round();
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

}  // namespace sluice
