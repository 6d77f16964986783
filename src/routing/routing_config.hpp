// Providers and models as the configuration spells them.
#pragma once

#include "net/connector.hpp"
#include "net/tls_config.hpp"
#include "routing/arms/life.hpp"
#include "routing/arms/shadow_config.hpp"
#include "routing/pools/pool_config.hpp"
#include "routing/presets.hpp"

#include <sluice/config.hpp>
#include <sluice/exchange.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sluice::routing {

// A Google service account.
struct service_account_config {
    std::string file;  // a JSON key file, read at each exchange,
    secret key;        // or its text
    std::string scope = "https://www.googleapis.com/auth/cloud-platform";
};
// Reads the key, too: one that cannot be used is a problem.
void read(config_reader& r, service_account_config& c);

// One way to prove to an upstream who we are. Exactly one of the members is given.
struct credential_config {
    secret api_key;           // in `header`
    std::string header;       // for api_key; empty: Authorization, as "Bearer ..."
    std::string bearer_file;  // a file with a token, read again when it changes
    std::string user;         // with `password`: HTTP Basic
    secret password;
    struct oauth2_config {
        std::string token_url, client_id, scope, audience;
        secret client_secret;              // this,
        std::string federated_token_file;  // or a file with an assertion that stands for it, read at each exchange
    };
    std::optional<oauth2_config> oauth2;  // client credentials, refreshed ahead of expiry
    struct sigv4_config {
        std::string region, service, access_key_id;
        secret secret_access_key, session_token;
    };
    std::optional<sigv4_config> aws_sigv4;
    std::optional<service_account_config> gcp_service_account;
};
void read(config_reader& r, credential_config& c);
void read(config_reader& r, credential_config::oauth2_config& c);
void read(config_reader& r, credential_config::sigv4_config& c);

struct timeouts_config {
    upstream_timeouts values;
};
void read(config_reader& r, timeouts_config& c);

// The wire format of an upstream.
enum class dialect : std::uint8_t {
    openai,            // all of OpenAI's API
    openai_chat,       // of it chat completions, completions and embeddings: what most compatible servers have
    openai_responses,  // requests of other dialects become Responses
    azure,             // OpenAI's, with a deployment in the path and a version in the query
    anthropic,
    gemini,
    vertex,             // Google's models at Vertex AI
    vertex_anthropic,   // Anthropic's models there
    bedrock,            // Converse
    bedrock_anthropic,  // Anthropic's models by InvokeModel
    cohere,             // v2
};
// Which HTTP an upstream speaks. 2: over TLS by ALPN, else at once (h2c).
enum class http_version : std::uint8_t { one, two };

// An account at an upstream: where, how, and as whom.
struct provider_config {
    std::string name;
    dialect speaks = dialect::openai;
    chat_quirks quirks;                          // of its preset
    std::string api_version;                     // azure's
    std::vector<std::string> base_urls;          // several: taken in turn, the broken ones left out
    std::vector<credential_config> credentials;  // several: taken in turn, the limited ones left out
    std::map<std::string, std::string> headers;  // set on every request
    timeouts_config timeouts;
    net::tls_client_config tls;
    net::connect_config connect;
    http_version http = http_version::one;
};
void read(config_reader& r, provider_config& c);

// A pool of model servers: a provider whose addresses come and go.
struct pool_section {
    provider_config server;
    pool_config pool;
};
void read(config_reader& r, pool_section& c);
// Reports URLs that no path can be put behind.
void check_base_urls(config_reader& r, std::string_view key, const std::vector<std::string>& urls);

// When a target is eligible. What is not given holds; all that is given must hold.
struct condition_config {
    std::map<std::string, std::string> headers;  // name: glob
    std::vector<std::string> keys, tenants;      // globs of the caller
    std::map<std::string, std::string> body;     // top-level field: glob of its text
};
void read(config_reader& r, condition_config& c);

struct target_config {
    std::string provider;  // or a pool's name
    bool in_pool = false;
    std::string model;  // empty: the model's own name
    std::string arm;    // names it in an A/B test; unique in its model
    int weight = 1;     // share among the targets of the same priority
    int priority = 0;   // lower first
    std::optional<condition_config> when;
    std::map<std::string, std::string> body;           // parameters set on the request, as JSON
    std::chrono::milliseconds first_byte{0}, idle{0};  // 0: the provider's
};
void read(config_reader& r, target_config& c);

enum class sticky : std::uint8_t { none, key, session, header, body };

struct model_config {
    std::string name;  // may hold `*`
    std::vector<std::string> aliases;
    std::vector<target_config> targets;
    std::vector<std::string> fallback;  // models to try when every target of this one failed
    sticky stay = sticky::none;         // who stays with the target that was drawn
    std::string session_header = "x-session-id";
    std::string
        sticky_by;  // the header, or the field of the body, that says who it is; "metadata.user" is one level in
    bool expose_arm = false;  // say in x-sluice-arm which arm answered
    life_config life;
    std::optional<shadow_config> shadow;
    int attempts = 3;  // upstream calls of one request, fallbacks included
};
void read(config_reader& r, model_config& c);

struct routing_config {
    std::vector<provider_config> providers;
    std::vector<pool_section> pools;
    std::vector<model_config> models;
};
// Reads `providers`, `pools` and `models` of the section at hand and checks that they fit together.
void read(config_reader& r, routing_config& c);

}  // namespace sluice::routing
