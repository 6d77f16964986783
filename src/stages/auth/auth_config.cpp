#include "stages/auth/auth_config.hpp"

#include <sluice/message.hpp>

namespace sluice::auth {

void read(config_reader& r, api_key_config& c) {
    r.field("headers", c.headers, "Headers that may hold a key; authorization means its Bearer form.");
    r.field("query", c.query, "Query parameter that may hold a key. Queries end up in logs: prefer a header.");
    for (const std::string& name : c.headers) {
        if (!valid_header_name(name)) r.problem("headers", "not a header name: " + name);
    }
    if (c.headers.empty() && c.query.empty()) r.problem("headers", "no place to look for a key");
}

void read(config_reader& r, claim_names& c) {
    r.field("key", c.key, "Claim that names the caller in logs and limits.");
    r.field("tenant", c.tenant, "Claim that names the tenant.");
    r.field("models", c.models, "Claim that lists the models the caller may use, as globs.");
    if (c.key.empty()) r.problem("key", "a caller needs a name", "use sub");
}

void read(config_reader& r, jwt_config& c) {
    r.field("issuer", c.issuer, "The tokens' iss, exactly.", required);
    r.field("audiences", c.audiences, "The tokens' aud must hold one of these.");
    r.field("any_audience", c.any_audience, "Takes tokens issued for any audience. Not advised.");
    r.field("jwks_url", c.jwks_url, "URL of the issuer's key set.");
    r.field("jwks_file", c.jwks_file, "File with the key set; read again when it changes.");
    r.field("jwks", c.jwks, "The key set itself, as JSON text.");
    r.field("algorithms", c.algorithms, "Signature algorithms that are accepted.");
    r.section("claims", c.claims, "Which claims say who is calling.");
    r.field("leeway", c.leeway, "How far clocks may disagree.", {.min = 0, .max = 600});
    r.field("refresh", c.refresh, "Age at which the key set is fetched again.", {.min = 60, .max = {}});
    r.field("stale_grace", c.stale_grace, "How long an old key set serves while fetching fails.");
    const int sources = !c.jwks_url.empty() + !c.jwks_file.empty() + !c.jwks.empty();
    if (sources != 1) r.problem("", "needs exactly one of jwks_url, jwks_file and jwks");
    if (c.audiences.empty() && !c.any_audience) {
        r.problem("audiences", "needs at least one audience", "name the audience of this gateway");
    }
    if (c.algorithms.empty()) r.problem("algorithms", "needs at least one algorithm");
    for (const std::string& name : c.algorithms) {
        if (!jose::algorithm_named(name)) r.problem("algorithms", "not a signature algorithm: " + name);
    }
}

void read(config_reader& r, auth_config& c) {
    r.section("api_key", c.api_key, "Takes API keys of the top-level list keys.");
    r.list("jwt", c.jwt, "Takes tokens of these issuers.");
    r.field("optional", c.optional, "Lets requests without credential pass as anonymous.");
    if (!c.api_key && c.jwt.empty()) r.problem("", "takes no credential", "add api_key: {} or jwt");
}

std::vector<jose::algorithm> algorithms_of(const jwt_config& c) {
    std::vector<jose::algorithm> out;
    for (const std::string& name : c.algorithms) {
        if (const auto a = jose::algorithm_named(name)) out.push_back(*a);
    }
    return out;
}

}  // namespace sluice::auth
