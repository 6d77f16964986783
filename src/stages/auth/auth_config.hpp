// Configuration of the stage `auth`: which credentials it takes.
#pragma once

#include "governance/jose/algorithm.hpp"

#include <sluice/config.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace sluice::auth {

// API keys of the top-level list `keys`.
struct api_key_config {
    // Where a key may stand. `authorization` means "Authorization: Bearer <key>".
    std::vector<std::string> headers = {"authorization", "x-api-key", "api-key", "x-goog-api-key"};
    std::string query;  // name of a query parameter that may hold a key; empty: none
};

// Which claims of a token say who is calling.
struct claim_names {
    std::string key = "sub";  // names the caller in logs and limits
    std::string tenant;       // empty: tokens have no tenant
    std::string models;       // a list of globs, or one text of globs between spaces; empty: all models
};

// Tokens of one issuer.
struct jwt_config {
    std::string issuer;                     // `iss`, exactly
    std::vector<std::string> audiences;     // `aud` must hold one of them
    std::string jwks_url, jwks_file, jwks;  // exactly one: where the keys come from
    std::vector<std::string> algorithms = {"RS256", "ES256", "EdDSA"};
    claim_names claims;
    std::chrono::milliseconds leeway{std::chrono::seconds(60)};
    std::chrono::milliseconds refresh{std::chrono::minutes(10)};    // age at which a fetched key set is fetched again
    std::chrono::milliseconds stale_grace{std::chrono::hours(24)};  // how long an old one serves while that fails
    bool any_audience = false;                                      // takes tokens that were issued for somebody else
};

struct auth_config {
    std::optional<api_key_config> api_key;
    std::vector<jwt_config> jwt;
    bool optional = false;  // a request without credential passes as anonymous; a wrong one never does
};

void read(config_reader& r, api_key_config& c);
void read(config_reader& r, claim_names& c);
void read(config_reader& r, jwt_config& c);
void read(config_reader& r, auth_config& c);

// Of names that read() accepted.
std::vector<jose::algorithm> algorithms_of(const jwt_config& c);

}  // namespace sluice::auth
