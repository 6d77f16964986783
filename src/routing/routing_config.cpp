#include "routing/routing_config.hpp"

#include "base/nearest.hpp"
#include "http/url.hpp"
#include "routing/arms/checks.hpp"
#include "routing/gcp_service_account.hpp"

#include <algorithm>
#include <cctype>
#include <set>

namespace sluice::routing {

void read(config_reader& r, credential_config::oauth2_config& c) {
    r.field("token_url", c.token_url, "Where tokens are issued.", required);
    if (const auto url = http::parse_url(c.token_url); !c.token_url.empty() && !url)
        r.problem("token_url", url.error().message);
    r.field("client_id", c.client_id, "Our id there.", required);
    r.field("client_secret", c.client_secret, "Our secret there.");
    r.field("federated_token_file", c.federated_token_file,
            "Instead of client_secret: file with a signed token of ours, read at each exchange.");
    r.field("scope", c.scope, "Scopes, separated by spaces.");
    r.field("audience", c.audience, "Audience of the token, where the issuer wants one.");
    if (r.has("client_secret") == r.has("federated_token_file")) {
        r.problem("", "oauth2 takes either a client_secret or a federated_token_file");
    } else if (c.client_secret.empty() && c.federated_token_file.empty()) {
        r.problem(r.has("client_secret") ? "client_secret" : "federated_token_file", "must not be empty");
    }
}

void read(config_reader& r, credential_config::sigv4_config& c) {
    r.field("region", c.region, "AWS region.", required);
    r.field("service", c.service, "AWS service: bedrock, execute-api, ...", required);
    r.field("access_key_id", c.access_key_id, "AWS access key id.", required);
    r.field("secret_access_key", c.secret_access_key, "AWS secret access key.", required);
    r.field("session_token", c.session_token, "Of temporary credentials.");
}

void read(config_reader& r, service_account_config& c) {
    r.field("file", c.file, "JSON key file of the service account, read again at each exchange.");
    r.field("key", c.key, "Instead of file: the text of the key file, as in ${file:/run/secrets/account.json}.");
    r.field("scope", c.scope, "Scopes, separated by spaces.");
    if (r.has("file") == r.has("key")) {
        r.problem("", "gcp_service_account takes either a file or a key");
    } else if (const auto account = load_service_account(c); !account) {
        r.problem(r.has("file") ? "file" : "key", account.error().message);
    }
}

void read(config_reader& r, credential_config& c) {
    r.field("api_key", c.api_key, "Sent as Authorization: Bearer, or in `header`.");
    r.field("header", c.header, "Header for the api_key, sent bare: x-api-key, api-key, ...");
    r.field("bearer_file", c.bearer_file, "File with a bearer token; read again when it changes.");
    r.field("user", c.user, "User of HTTP Basic, with `password`.");
    r.field("password", c.password, "Password of HTTP Basic.");
    r.section("oauth2", c.oauth2, "OAuth 2 client credentials.");
    r.section("aws_sigv4", c.aws_sigv4, "AWS Signature Version 4.");
    r.section("gcp_service_account", c.gcp_service_account, "A Google service account's key.");
    const int given = static_cast<int>(!c.api_key.empty()) + static_cast<int>(!c.bearer_file.empty()) +
                      static_cast<int>(!c.user.empty()) + static_cast<int>(c.oauth2.has_value()) +
                      static_cast<int>(c.aws_sigv4.has_value()) + static_cast<int>(c.gcp_service_account.has_value());
    if (given > 1) r.problem("", "one credential has one kind", "write a list entry for each");
    if (given == 0) {
        r.problem("",
                  "a credential is one of api_key, bearer_file, user with password, oauth2, aws_sigv4, "
                  "gcp_service_account");
    }
    if (!valid_header_value(c.api_key.reveal())) r.problem("api_key", "holds bytes that no header may hold");
    if (!c.header.empty() && (c.api_key.empty() || !valid_header_name(c.header))) {
        r.problem("header", "a header name for api_key is expected");
    }
}

void read(config_reader& r, timeouts_config& c) {
    r.field("connect", c.values.connect, "For DNS and connecting.");
    r.field("tls", c.values.tls, "For the TLS handshake.");
    r.field("first_byte", c.values.first_byte, "From the request sent to the head of the answer.");
    r.field("idle", c.values.idle, "Between two reads of the answer.");
}

void check_base_urls(config_reader& r, std::string_view key, const std::vector<std::string>& urls) {
    if (urls.empty() && r.has(key)) r.problem(key, "at least one URL is expected");
    for (const std::string& url : urls) {
        const auto parsed = http::parse_url(url);
        if (!parsed) {
            r.problem(key, parsed.error().message);
        } else if (parsed->path_and_query.find('?') != std::string::npos) {
            r.problem(key, "a path is put behind this URL: it cannot have a query");
        }
    }
}

namespace {

void check_azure(config_reader& r, provider_config& c) {
    const bool azure = c.speaks == dialect::azure;
    if (azure && c.api_version.empty())
        r.problem("", "dialect: azure needs an api_version",
                  "or use dialect: openai with a base_url that ends in /openai/v1");
    if (!azure && !c.api_version.empty()) r.problem("api_version", "is for dialect: azure only");
}

// The header that a provider of this dialect wants a key in; empty: Authorization.
std::string_view key_header(dialect d) {
    switch (d) {
        case dialect::azure:
            return "api-key";
        case dialect::anthropic:
            return "x-api-key";
        case dialect::gemini:
            return "x-goog-api-key";
        default:
            return {};
    }
}

void set_key_header(provider_config& c) {
    for (credential_config& credential : c.credentials) {
        if (!credential.api_key.empty() && credential.header.empty()) credential.header = key_header(c.speaks);
    }
    // The only version there is; what clients of another dialect could not say.
    if (c.speaks == dialect::anthropic) c.headers.emplace("anthropic-version", "2023-06-01");
}

// Sets what the preset knows; what the file says is read over it.
void apply_preset(config_reader& r, provider_config& c) {
    const preset* p = read_preset(r);
    if (p == nullptr) return;
    c.name = p->name;
    c.speaks = p->speaks;
    c.base_urls = {std::string(p->base_url)};
    c.quirks = p->quirks;
}

void check_preset(config_reader& r, const provider_config& c) {
    if (r.has("preset")) {
        if (r.has("name") && c.name.empty()) r.problem("name", "must not be empty");
        return;
    }
    if (r.has("base_url")) return;
    std::vector<std::string_view> names;
    for (const preset& p : presets()) names.push_back(p.name);
    const auto meant = nearest(c.name, names);
    r.problem("", "a provider needs a base_url or a preset",
              meant ? "preset: " + *meant + " stands for its base_url" : "write base_url: https://...");
}

void read_dialect(config_reader& r, provider_config& c) {
    r.one_of<dialect>(
        "dialect", c.speaks,
        {{"openai", dialect::openai},
         {"openai.chat", dialect::openai_chat},
         {"openai.responses", dialect::openai_responses},
         {"azure", dialect::azure},
         {"anthropic", dialect::anthropic},
         {"gemini", dialect::gemini},
         {"vertex", dialect::vertex},
         {"vertex.anthropic", dialect::vertex_anthropic},
         {"bedrock", dialect::bedrock},
         {"bedrock.anthropic", dialect::bedrock_anthropic},
         {"cohere", dialect::cohere}},
        "Wire format of the upstream. openai is all of OpenAI's API, openai.chat its chat completions and "
        "embeddings alone; azure has a deployment in the path.");
}

// What a provider and a pool have in common.
void read_account(config_reader& r, provider_config& c) {
    r.list("credentials", c.credentials, "Who we are there. Several are taken in turn.");
    r.field("headers", c.headers, "Set on every request.");
    r.section("timeouts", c.timeouts, "How long each step may take.");
    r.section("tls", c.tls, "Whom to trust and who we are.");
    r.section("connect", c.connect, "Proxy and allowed addresses.");
    r.one_of<http_version>("http_version", c.http, {{"1.1", http_version::one}, {"2", http_version::two}},
                           "\"2\": many requests share a connection; over TLS it is negotiated, else spoken at once "
                           "(h2c). WebSockets need 1.1.");
}

void check_headers(config_reader& r, const provider_config& c) {
    for (const auto& [name, value] : c.headers) {
        if (!valid_header_name(name) || !valid_header_value(value))
            r.problem("headers", "\"" + name + "\" is not a valid header");
    }
}

}  // namespace

void read(config_reader& r, provider_config& c) {
    apply_preset(r, c);
    r.field("name", c.name, "Names the provider in models, metrics and logs; the preset's name, if absent.",
            r.has("preset") ? constraint{} : required);
    read_dialect(r, c);
    r.field("api_version", c.api_version, "Version of Azure's API, as in 2024-10-21. Only with dialect: azure.");
    r.field("base_url", c.base_urls,
            "URL up to the version: https://api.openai.com/v1. Several are taken in turn. The preset's, if absent.");
    read_account(r, c);
    check_preset(r, c);
    check_base_urls(r, "base_url", c.base_urls);
    check_azure(r, c);
    set_key_header(c);
    check_headers(r, c);
}

void read(config_reader& r, pool_section& c) {
    provider_config& s = c.server;
    r.field("name", s.name, "Names the pool in models, metrics and logs.", required);
    read_dialect(r, s);
    if (s.speaks != dialect::openai && s.speaks != dialect::openai_chat && s.speaks != dialect::openai_responses &&
        s.speaks != dialect::anthropic) {
        r.problem("dialect", "model servers speak openai, openai.chat, openai.responses or anthropic");
    }
    read_pool(r, c.pool);
    read_account(r, s);
    set_key_header(s);
    check_headers(r, s);
    const bool plain = std::all_of(s.name.begin(), s.name.end(), [](unsigned char ch) {
        return std::isalnum(ch) != 0 || ch == '-' || ch == '_' || ch == '.';
    });
    if (!plain || s.name.size() > 64) r.problem("name", "a pool's name is up to 64 letters, digits, - _ or .");
}

void read(config_reader& r, condition_config& c) {
    r.field("headers", c.headers, "Header name to a pattern of its value.");
    r.field("key", c.keys, "Patterns of the caller's key id.");
    r.field("tenant", c.tenants, "Patterns of the caller's tenant.");
    r.field("body", c.body, "Top-level field of the body to a pattern of its text.");
}

void read(config_reader& r, target_config& c) {
    std::string pool;
    r.field("provider", c.provider, "Name of a provider.");
    r.field("pool", pool, "Instead of a provider: name of a pool of model servers.");
    if (c.provider.empty() == pool.empty()) r.problem("", "a target names either a provider or a pool");
    c.in_pool = !pool.empty();
    if (c.in_pool) c.provider = pool;
    r.field("model", c.model,
            "The model's name there; the model's own name, if absent. A * takes what the model's * matched.");
    r.field("arm", c.arm, "Names the target in an A/B test: its figures are kept apart.");
    r.field("weight", c.weight, "Share among the targets of the same priority; 0 takes none.",
            {.min = 0, .max = 1000000});
    r.field("priority", c.priority, "Lower ones are used first; others when those are not available.",
            {.min = 0, .max = 1000});
    r.section("when", c.when, "Conditions under which this target is eligible.");
    r.json_map("body", c.body, "Parameters set on the request.");
    r.field("first_byte_timeout", c.first_byte, "Instead of the provider's.");
    r.field("idle_timeout", c.idle, "Instead of the provider's.");
}

void read(config_reader& r, model_config& c) {
    r.field("name", c.name, "What clients ask for; may hold one *.", required);
    r.field("aliases", c.aliases, "Other names for it.");
    read(r, c.life);
    r.list("targets", c.targets, "Where it is served.", c.life.state == model_state::retired ? constraint{} : required);
    r.field("fallback", c.fallback, "Models to try when no target of this one can serve.");
    r.one_of<sticky>("sticky", c.stay,
                     {{"none", sticky::none},
                      {"key", sticky::key},
                      {"session", sticky::session},
                      {"header", sticky::header},
                      {"body", sticky::body}},
                     "Who stays with the target that was drawn: each key, each session, or whom `sticky_by` names.");
    r.field("sticky_by", c.sticky_by,
            "Header, with sticky: header, or field of the body, with sticky: body, that names who stays.");
    r.field("expose_arm", c.expose_arm, "Say in the header x-sluice-arm which arm answered.");
    r.section("shadow", c.shadow, "A target that gets a copy of some requests; its answers are only measured.");
    r.field("session_header", c.session_header, "Header that names the session, with sticky: session.");
    r.field("attempts", c.attempts, "Upstream calls of one request at most, fallbacks included.",
            {.min = 1, .max = 20});
    if (std::count(c.name.begin(), c.name.end(), '*') > 1) r.problem("name", "a model name may hold one *");
    for (const std::string& alias : c.aliases) {
        if (alias.find('*') != std::string::npos)
            r.problem("aliases", "an alias is a plain name", "give the model a name with *");
    }
    check_arms(r, c);
    const bool pattern = c.name.find('*') != std::string::npos;
    for (std::size_t t = 0; t < c.targets.size(); ++t) {
        const std::string& name = c.targets[t].model;
        const auto stars = std::count(name.begin(), name.end(), '*');
        if (stars > (pattern ? 1 : 0)) {
            r.problem("targets[" + std::to_string(t) + "].model",
                      pattern ? "may hold one *" : "holds a *, but the model's name does not");
        }
    }
}

namespace {

template <class T>
std::vector<std::string> names_of(const std::vector<T>& all) {
    std::vector<std::string> names;
    for (const T& one : all) names.push_back(one.name);
    return names;
}

void check_unique(config_reader& r, const std::string& section, const std::vector<std::string>& names) {
    std::set<std::string> seen;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (!seen.insert(names[i]).second) {
            r.problem(section + "[" + std::to_string(i) + "].name", "there is already one called \"" + names[i] + "\"");
        }
    }
}

// A name that two models answer to would lead to whichever the table was built with first.
void check_aliases(config_reader& r, const std::vector<model_config>& models) {
    std::set<std::string> taken;
    for (const model_config& m : models) taken.insert(m.name);
    for (std::size_t m = 0; m < models.size(); ++m) {
        for (std::size_t a = 0; a < models[m].aliases.size(); ++a) {
            const std::string& alias = models[m].aliases[a];
            if (taken.insert(alias).second) continue;
            r.problem("models[" + std::to_string(m) + "].aliases[" + std::to_string(a) + "]",
                      "there is already a model or an alias called \"" + alias + "\"");
        }
    }
}

}  // namespace

void read(config_reader& r, routing_config& c) {
    r.list("providers", c.providers, "Upstream accounts.");
    r.list("pools", c.pools, "Model servers that serve the same models.");
    r.list("models", c.models, "Public model names and where they are served.");
    const auto providers = names_of(c.providers);
    const auto models = names_of(c.models);
    std::vector<std::string> pools;
    for (const pool_section& p : c.pools) pools.push_back(p.server.name);
    check_unique(r, "providers", providers);
    check_unique(r, "pools", pools);
    for (std::size_t p = 0; p < pools.size(); ++p) {
        if (std::find(providers.begin(), providers.end(), pools[p]) == providers.end()) continue;
        r.problem("pools[" + std::to_string(p) + "].name", "there is already a provider \"" + pools[p] + "\"");
    }
    check_unique(r, "models", models);
    check_aliases(r, c.models);
    for (std::size_t m = 0; m < c.models.size(); ++m) {
        const std::string at = "models[" + std::to_string(m) + "]";
        for (std::size_t t = 0; t < c.models[m].targets.size(); ++t) {
            const target_config& target = c.models[m].targets[t];
            const auto& known = target.in_pool ? pools : providers;
            const std::string kind = target.in_pool ? "pool" : "provider";
            if (target.provider.empty() || std::find(known.begin(), known.end(), target.provider) != known.end())
                continue;
            r.problem(at + ".targets[" + std::to_string(t) + "]." + kind,
                      "there is no " + kind + " \"" + target.provider + "\"" + did_you_mean(target.provider, known));
        }
        for (std::size_t f = 0; f < c.models[m].fallback.size(); ++f) {
            const std::string& name = c.models[m].fallback[f];
            if (std::find(models.begin(), models.end(), name) != models.end()) continue;
            r.problem(at + ".fallback[" + std::to_string(f) + "]",
                      "there is no model \"" + name + "\"" + did_you_mean(name, models));
        }
    }
    check_lives(r, c);
}

}  // namespace sluice::routing
