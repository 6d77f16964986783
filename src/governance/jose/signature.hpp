// The one place where signatures meet OpenSSL.
#pragma once

#include "governance/jose/jwk.hpp"

#include <string_view>

namespace sluice::jose {

// Does `signature` (as RFC 7518 encodes it: ECDSA as r||s) sign `message` with that key? `key.fits(alg)` holds.
// Thread-safe.
bool signature_matches(const verification_key& key, algorithm alg, std::string_view message,
                       std::string_view signature);

}  // namespace sluice::jose
