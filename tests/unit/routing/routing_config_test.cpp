#include "unit/routing/support.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::routing;
using namespace sluice::routing::testing;

namespace {

bool complains(const std::string& problems, std::string_view text) {
    CAPTURE(problems);
    return problems.find(text) != std::string::npos;
}

std::string with_credential(std::string_view credential) {
    return "providers: [{name: a, base_url: \"http://127.0.0.1/v1\", credentials: [" + std::string(credential) +
           "]}]\n";
}

}  // namespace

TEST_CASE("a target whose provider does not exist is a problem that names the nearest one") {
    const auto p = routing_problems(R"(providers: [{name: openai, base_url: "https://api.example.com/v1"}]
models: [{name: m, targets: [{provider: opnai}]}]
)");
    CHECK(complains(p, "there is no provider \"opnai\"; did you mean \"openai\"?"));
    CHECK(complains(p, "g.yaml:2:"));
}

TEST_CASE("a fallback that does not exist is a problem that names the nearest model") {
    const auto p = routing_problems(R"(providers: [{name: a, base_url: "https://api.example.com/v1"}]
models:
  - {name: gpt-4o, targets: [{provider: a}], fallback: [cloude]}
  - {name: claude, targets: [{provider: a}]}
)");
    CHECK(complains(p, "there is no model \"cloude\"; did you mean \"claude\"?"));
}

TEST_CASE("no two providers, models or aliases share a name") {
    const auto p = routing_problems(R"(providers:
  - {name: a, base_url: "https://api.example.com/v1"}
  - {name: a, base_url: "https://api.example.com/v1"}
models:
  - {name: m, targets: [{provider: a}], aliases: [x]}
  - {name: m, targets: [{provider: a}], aliases: [x]}
  - {name: n, targets: [{provider: a}], aliases: [m]}
)");
    CHECK(complains(p, "there is already one called \"a\""));
    CHECK(complains(p, "there is already one called \"m\""));
    CHECK(complains(p, "there is already a model or an alias called \"x\""));
    CHECK(complains(p, "there is already a model or an alias called \"m\""));
}

TEST_CASE("a credential has exactly one kind, with what that kind needs") {
    CHECK(complains(routing_problems(with_credential("{api_key: k, user: u, password: p}")),
                    "one credential has one kind"));
    CHECK(complains(routing_problems(with_credential("{}")), "a credential is one of api_key"));
    CHECK(complains(routing_problems(with_credential("{user: u, password: p, header: x-api-key}")),
                    "a header name for api_key is expected"));
    CHECK(complains(routing_problems(with_credential("{api_key: k, header: \"a b\"}")),
                    "a header name for api_key is expected"));
    CHECK(complains(routing_problems(with_credential("{api_key: \"a\\r\\nx: y\"}")),
                    "holds bytes that no header may hold"));
    CHECK(complains(routing_problems(with_credential("{oauth2: {token_url: nowhere, client_id: i, client_secret: s}}")),
                    "token_url"));
    CHECK(routing_problems(with_credential("{api_key: k, header: x-api-key}")) == "");
}

TEST_CASE("an OAuth 2 client proves itself by a secret or by a file with an assertion, not by both") {
    const auto of = [](const std::string& proof) {
        return routing_problems(with_credential("{oauth2: {token_url: \"https://a\", client_id: i" + proof + "}}"));
    };
    CHECK(of(", client_secret: s") == "");
    CHECK(of(", federated_token_file: /var/run/token") == "");
    CHECK(complains(of(""), "either a client_secret or a federated_token_file"));
    CHECK(complains(of(", client_secret: s, federated_token_file: t"),
                    "either a client_secret or a federated_token_file"));
    CHECK(complains(of(", client_secret: \"\""), "must not be empty"));
}

TEST_CASE("Azure's deployments need a version, and nobody else has one") {
    const auto of = [](const std::string& rest) {
        return routing_problems("providers: [{name: a, base_url: \"https://a.example.com\", " + rest + "}]\n");
    };
    CHECK(complains(of("dialect: azure"), "dialect: azure needs an api_version"));
    CHECK(complains(of("api_version: 2024-10-21"), "is for dialect: azure only"));
    CHECK(of("dialect: azure, api_version: 2024-10-21") == "");
}

TEST_CASE("a base_url is an absolute URL that a path can be put behind") {
    const auto with = [](const std::string& url) {
        return routing_problems("providers: [{name: a, base_url: \"" + url + "\"}]\n");
    };
    CHECK(with("https://api.example.com/v1") == "");
    CHECK(complains(with("api.example.com"), "base_url"));
    CHECK(complains(with("ftp://api.example.com"), "base_url"));
    CHECK(complains(with("https://user:pw@api.example.com/"), "base_url"));
    CHECK(complains(with("https://api.example.com/v1?api-version=1"), "it cannot have a query"));
    CHECK(complains(routing_problems("providers: [{name: a, base_url: []}]\n"), "at least one URL is expected"));
}

TEST_CASE("a pattern has one star, and only its targets may repeat it") {
    const auto with = [](const std::string& model) {
        return routing_problems("providers: [{name: a, base_url: \"http://127.0.0.1\"}]\nmodels: [" + model + "]\n");
    };
    CHECK(with("{name: \"gpt-*\", targets: [{provider: a, model: \"x-*\"}]}") == "");
    CHECK(complains(with("{name: \"*-*\", targets: [{provider: a}]}"), "a model name may hold one *"));
    CHECK(complains(with("{name: m, targets: [{provider: a, model: \"x-*\"}]}"),
                    "holds a *, but the model's name does not"));
    CHECK(complains(with("{name: \"m*\", targets: [{provider: a, model: \"*-*\"}]}"), "may hold one *"));
    CHECK(complains(with("{name: m, aliases: [\"x*\"], targets: [{provider: a}]}"), "an alias is a plain name"));
}

TEST_CASE("headers that are not headers are refused") {
    CHECK(complains(routing_problems("providers: [{name: a, base_url: \"http://127.0.0.1\", headers: {\"a b\": c}}]\n"),
                    "\"a b\" is not a valid header"));
}
