// One issuer of tokens on one worker: verifies its tokens and says who they are about.
#pragma once

#include "governance/jose/claims.hpp"
#include "governance/jwks_source.hpp"
#include "stages/auth/auth_config.hpp"

#include <sluice/exchange.hpp>
#include <sluice/services.hpp>

#include <string>
#include <vector>

namespace sluice::auth {

class jwt_issuer {
public:
    // Starts fetching the keys, so that the first token need not wait. Throws std::runtime_error when an inline
    // key set cannot be read. `s` outlives the issuer.
    jwt_issuer(const jwt_config& config, services& s);

    const std::string& name() const { return rules_.issuer; }

    enum class answer : std::uint8_t { accepted, refused, no_keys };
    // Verifies a token whose `iss` is name() and fills `who`. Waits for the keys when there are none yet, or when
    // the token names one that is not known. `reason` tells why it was refused.
    awaitable<answer> verify(const jose::compact_jws& token, const json_object& claims, identity& who,
                             jose::verdict& reason);

private:
    const jose::key_set* keys() { return keys_.keys(services_.time().now()); }
    bool fill(const json_object& claims, identity& who) const;

    services& services_;
    const jose::claim_rules rules_;
    const std::vector<jose::algorithm> algorithms_;
    const claim_names claims_;
    jwks_view keys_;
};

}  // namespace sluice::auth
