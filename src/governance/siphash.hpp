// SipHash-2-4 (Aumasson and Bernstein, 2012): a fast keyed hash for tables whose keys strangers choose.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice {

struct siphash_key {
    std::uint64_t k0 = 0, k1 = 0;
};
siphash_key random_siphash_key();  // throws std::runtime_error when the system has no randomness

// Who does not know the key cannot find two texts of one hash.
std::uint64_t siphash(const siphash_key& key, std::string_view text);

}  // namespace sluice
