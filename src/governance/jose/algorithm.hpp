// The signature algorithms of RFC 7518 section 3.1, RFC 8037 and RFC 8812 that a token may carry.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::jose {

enum class algorithm : std::uint8_t {
    hs256,
    hs384,
    hs512,  // HMAC with SHA-2
    rs256,
    rs384,
    rs512,  // RSASSA-PKCS1-v1_5
    ps256,
    ps384,
    ps512,  // RSASSA-PSS, MGF1 with the same hash, salt as long as the hash
    es256,
    es384,
    es512,   // ECDSA on P-256, P-384, P-521
    es256k,  // ECDSA on secp256k1
    eddsa,   // Ed25519 or Ed448, as the key says
};

enum class family : std::uint8_t { hmac, rsa_pkcs1, rsa_pss, ecdsa, eddsa };

struct algorithm_traits {
    std::string_view name;  // as `alg` spells it; case matters
    family kind;
    const char* digest;      // OpenSSL's name; null where the algorithm has its own
    std::size_t hash_bytes;  // 0 for EdDSA
};

const algorithm_traits& traits(algorithm a);
// Nothing for a name we do not verify, "none" among them.
std::optional<algorithm> algorithm_named(std::string_view name);

}  // namespace sluice::jose
