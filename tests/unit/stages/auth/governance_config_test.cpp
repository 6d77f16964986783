// The sections of keys, auth and quota as an operator writes them.
#include "config/document.hpp"
#include "config/references.hpp"
#include "config/yaml_reader.hpp"
#include "governance/key_table.hpp"
#include "stages/auth/auth_config.hpp"
#include "stages/quota/quota_config.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>

using namespace sluice;

namespace {

struct reading {
    governance_config governance;
    auth::auth_config auth;
    quota::quota_config quota;
    std::string problems;  // one line each

    bool complains_about(std::string_view text) const { return problems.find(text) != std::string::npos; }
};

reading read_all(std::string_view yaml) {
    const std::map<std::string, std::string> variables = {{"TEAM_KEY", "sk-team"}, {"PEPPER", "salt and more"}};
    config::references refs{
        {[&](const std::string& name) -> std::optional<std::string> {
             const auto at = variables.find(name);
             return at == variables.end() ? std::nullopt : std::optional(at->second);
         },
         [](const std::string&) -> result<std::string> { return error{error_kind::not_found, "no such file"}; }}};
    config::problem_list problems;
    reading out;
    const config::document d = config::document::parse(yaml, "g.yaml", problems);
    if (d.complete) {
        config::yaml_reader reader{d.root, refs, problems};
        read(reader, out.governance);
        if (reader.has("auth")) reader.section("auth", out.auth, "");
        if (reader.has("quota")) reader.section("quota", out.quota, "");
        reader.finish();
    }
    for (const config::problem& p : problems.take()) out.problems += to_string(p) + "\n";
    return out;
}

}  // namespace

TEST_CASE("the sections of keys, auth and quota are read as the manual shows them") {
    const auto r = read_all(R"(key_pepper: "${PEPPER}"
keys:
  - {id: team-a, key: "${TEAM_KEY}", tenant: a, models: ["gpt-*"], expires: "2027-01-01"}
auth:
  api_key: {query: key}
  jwt:
    - issuer: https://issuer
      audiences: [gateway]
      jwks_url: https://issuer/keys
      algorithms: [ES256]
      claims: {tenant: org}
      leeway: 30s
  optional: true
quota:
  per: tenant
  requests_per_minute: 60
  tokens_per_day: 1000000
  concurrency: 4
  rules:
    - {name: addresses, per: ip, requests_per_second: 5, burst: 20}
    - {per: "header:x-user", tokens_per_minute: 1000}
  on_full: refuse
)");
    CHECK(r.problems == "");
    const auto table = key_table::build(r.governance);
    REQUIRE(table.has_value());
    auto hasher = (*table)->make_hasher();
    CHECK((*table)->find("sk-team", hasher)->who.key_id == "team-a");
    REQUIRE(r.auth.api_key.has_value());
    CHECK(r.auth.api_key->headers.size() == 4);
    CHECK(r.auth.api_key->query == "key");
    REQUIRE(r.auth.jwt.size() == 1);
    CHECK(r.auth.jwt[0].claims.tenant == "org");
    CHECK(r.auth.jwt[0].claims.key == "sub");
    CHECK(r.auth.jwt[0].leeway == std::chrono::seconds(30));
    CHECK(r.quota.rule.requests_per_minute == 60);
    CHECK(r.quota.rule.concurrency == 4);
    REQUIRE(r.quota.rules.size() == 2);
    CHECK(r.quota.rules[0].burst == 20);
    CHECK(quota::per_of(r.quota.rules[1].subject) == quota::per::header);
    CHECK(quota::header_of(r.quota.rules[1].subject) == "x-user");
    CHECK(r.quota.on_full == quota::when_full::refuse);
}

TEST_CASE("the common form of auth is an empty api_key") {
    const auto r = read_all("auth: {api_key: {}}\n");
    CHECK(r.problems == "");
    CHECK(r.auth.api_key.has_value());
}

TEST_CASE("what cannot work is reported where it stands") {
    CHECK(read_all("auth: {}\n").complains_about("takes no credential"));
    CHECK(read_all("auth: {api_key: {headers: [\"a b\"]}}\n").complains_about("not a header name"));
    CHECK(read_all("auth: {api_key: {headers: []}}\n").complains_about("no place to look"));
    CHECK(read_all("auth: {jwt: [{issuer: i, audiences: [a]}]}\n").complains_about("exactly one of jwks_url"));
    CHECK(read_all("auth: {jwt: [{issuer: i, jwks_file: f}]}\n").complains_about("at least one audience"));
    CHECK(read_all("auth: {jwt: [{issuer: i, jwks_file: f, any_audience: true}]}\n").problems == "");
    CHECK(read_all("auth: {jwt: [{issuer: i, audiences: [a], jwks_file: f, algorithms: [none]}]}\n")
              .complains_about("not a signature algorithm: none"));
    CHECK(read_all("keys: [{id: a, hash: \"md5:00\"}]\n").complains_about("expected sha256:"));
    CHECK(read_all("keys: [{id: a, key: \"${TEAM_KEY}\", expires: soon}]\n").complains_about("expected a UTC date"));
    CHECK(read_all("keys: [{hash: \"sha256:00\"}]\n").complains_about("id"));
    CHECK(read_all("quota: {per: key}\n").complains_about("limits nothing"));
    CHECK(read_all("quota: {per: keys, concurrency: 1}\n").complains_about("expected key, tenant"));
    CHECK(read_all("quota: {per: \"header:a b\", concurrency: 1}\n").complains_about("expected key, tenant"));
    CHECK(read_all("quota: {concurrency: 1, rules: [{per: ip}]}\n").complains_about("a rule without any limit"));
    CHECK(read_all("quota: {requests_per_minute: -1}\n").problems != "");
    CHECK(read_all("quota: {request_per_minute: 1}\n").complains_about("requests_per_minute"));
}
