// Verifies signed tokens in compact form (RFC 7515 section 3.1): header.payload.signature.
//
// The header only names an algorithm and a key. Both must be allowed by the caller and fit each other; key
// material or addresses in the header (jwk, jku, x5c, x5u) are never looked at.
#pragma once

#include "governance/jose/jwk.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sluice::jose {

inline constexpr std::size_t token_bytes_max = 8 * 1024;
// A token without `kid` is tried with every key that fits: this many at most.
inline constexpr std::size_t keys_tried_max = 8;

enum class verdict : std::uint8_t {
    good,
    malformed,    // not a token we can read: form, base64url, JSON, size
    not_allowed,  // `alg` is none, unknown or not in the list, or the header holds `crit`
    unknown_key,  // no key of that `kid`, or none that fits
    bad_signature,
    missing_claim,  // iss, aud or exp
    wrong_issuer,
    wrong_audience,
    expired,
    not_yet_valid,  // nbf or iat lies ahead
};
std::string_view to_string(verdict v);  // "bad_signature": metric label and log

// A token taken apart. The signing input is a view of the token's text.
struct compact_jws {
    std::optional<algorithm> alg;  // nothing: "none" or one we do not verify
    std::string kid;
    bool has_kid = false;
    bool critical = false;  // `crit` or an unencoded payload: extensions we do not know
    std::string payload;    // decoded; not verified yet
    std::string signature;
    std::string_view signing_input;
};

// Nothing if it is malformed. Cheap: no cryptography.
std::optional<compact_jws> read_compact(std::string_view token);

// good, not_allowed, unknown_key or bad_signature.
verdict verify_signature(const compact_jws& token, const key_set& keys, std::span<const algorithm> allowed);

}  // namespace sluice::jose
