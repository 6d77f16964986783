// What a token must say to be taken (RFC 7519 section 4.1), checked after its signature.
#pragma once

#include "governance/jose/jws.hpp"

#include <sluice/json.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace sluice::jose {

struct claim_rules {
    std::string issuer;                  // `iss` must be this text exactly
    std::vector<std::string> audiences;  // `aud` must hold one of these; empty: aud is not checked
    std::chrono::seconds leeway{60};     // for clocks that disagree
    bool expiry_required = true;
};

// good, missing_claim, wrong_issuer, wrong_audience, expired or not_yet_valid; malformed for a claim of the
// wrong type. `iat` in the future is not yet valid.
verdict check_claims(const json_object& claims, const claim_rules& rules, std::chrono::system_clock::time_point now);

}  // namespace sluice::jose
