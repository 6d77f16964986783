// Public keys and shared secrets that verify tokens: JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037).
//
// A key is bound to what it may verify when it is read, so that a token never chooses how its key is used.
// Keys and sets are immutable and may be read by every worker.
#pragma once

#include "governance/jose/algorithm.hpp"

#include <sluice/json.hpp>
#include <sluice/secret.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct evp_pkey_st;

namespace sluice::jose {

enum class key_type : std::uint8_t { oct, rsa, ec, okp };
enum class curve : std::uint8_t { none, p256, p384, p521, secp256k1, ed25519, ed448 };

struct verification_key {
    std::string kid;  // may be empty
    key_type type = key_type::oct;
    sluice::jose::curve curve = curve::none;
    std::optional<algorithm> alg;       // what the key itself allows; nothing: whatever fits its type
    std::shared_ptr<evp_pkey_st> pkey;  // null for oct
    secret octets;                      // of oct

    // May this key verify that algorithm? Type, curve, the key's own `alg` and, for a shared secret, its
    // length (RFC 7518 3.2: at least as long as the hash) must all agree.
    bool fits(algorithm a) const;
};

struct jwk_limits {
    // RSA keys below this are refused (RFC 7518 3.3). Tests of old vectors may lower it.
    int rsa_bits_min = 2048;
    int rsa_bits_max = 8192;  // a larger one costs a request too much time
};

// One key. Error (bad_request): not a key, one for another purpose (`use`, `key_ops`, an encryption
// `alg`), or a weak one: a small or ROCA-structured modulus, an exponent of 1, a short secret, a point off its
// curve. Private members are not read.
result<verification_key> parse_jwk(const json_object& jwk, const jwk_limits& limits = {});

struct key_set {
    std::vector<verification_key> keys;
    std::vector<std::string> skipped;  // why members were left out, for the log

    const verification_key* find(std::string_view kid) const;  // nullptr if there is none
};

inline constexpr std::size_t jwks_bytes_max = 256 * 1024;
inline constexpr std::size_t jwks_keys_max = 64;

// A set of keys: {"keys": [...]}. Members that cannot verify are skipped (RFC 7517 section 5). Error (bad_request):
// not a set, over a limit, two keys of one `kid`, or shared secrets beside public keys, since either
// makes it unclear what a token's `kid` stands for.
result<key_set> parse_jwks(std::string_view text, const jwk_limits& limits = {});

}  // namespace sluice::jose
