#include "unit/routing/support.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::routing;
using namespace sluice::routing::testing;

namespace {

constexpr std::string_view yaml = R"(providers:
  - {name: a, base_url: "https://api.example.com/v1/"}
  - {name: b, base_url: ["http://127.0.0.1:1/x", "http://[::1]:2"], tls: {server_name: other}}
models:
  - {name: gpt-4o, aliases: [four], targets: [{provider: a}]}
  - {name: "gpt-*", targets: [{provider: a, model: "openai/gpt-*"}]}
  - {name: "gpt-4*", targets: [{provider: b}]}
  - {name: "*-end", targets: [{provider: b}]}
  - {name: "*", targets: [{provider: b}]}
)";

std::string name_of(const found_model& f) {
    return f.which ? f.which->config.name : "none";
}

}  // namespace

TEST_CASE("a name is looked up exactly, then as an alias, then by the pattern with the longest beginning") {
    const auto t = table_of(yaml);
    CHECK(name_of(t->find("gpt-4o")) == "gpt-4o");
    CHECK(name_of(t->find("four")) == "gpt-4o");
    CHECK(name_of(t->find("gpt-4.1")) == "gpt-4*");
    CHECK(name_of(t->find("gpt-5")) == "gpt-*");
    CHECK(name_of(t->find("gpt-5-end")) == "gpt-*");
    CHECK(name_of(t->find("x-end")) == "*");  // both patterns begin with their star: by name
    CHECK(name_of(t->find("anything")) == "*");
    CHECK(t->find("gpt-5").star == "5");
    CHECK(t->find("gpt-").star == "");
}

TEST_CASE("the text around a star does not overlap") {
    const auto t = table_of(R"(providers: [{name: a, base_url: "http://127.0.0.1"}]
models: [{name: "ab*ba", targets: [{provider: a}]}]
)");
    CHECK(name_of(t->find("aba")) == "none");
    CHECK(name_of(t->find("abba")) == "ab*ba");
    CHECK(t->find("abXba").star == "X");
}

TEST_CASE("an endpoint is where its URL leads") {
    const auto t = table_of(yaml);
    const auto& a = t->find_provider("a")->endpoints;
    REQUIRE(a.size() == 1);
    CHECK(a[0].tls);
    CHECK(a[0].host == "api.example.com");
    CHECK(a[0].port == 443);
    CHECK(a[0].host_header == "api.example.com");
    CHECK(a[0].base_path == "/v1");
    const auto& b = t->find_provider("b")->endpoints;
    REQUIRE(b.size() == 2);
    CHECK(b[1].host == "::1");
    CHECK(b[1].host_header == "[::1]:2");
    CHECK(b[1].base_path == "");
    CHECK(t->find_provider("c") == nullptr);
}

TEST_CASE("providers with different certificates or proxies share no connections, whatever their name") {
    const auto key = [](const std::string& more) {
        const auto t = table_of("providers: [{name: a, base_url: \"https://api.example.com\"" + more + "}]\n");
        return t->providers().front()->endpoints.front().pool_key;
    };
    CHECK(key("") == key(""));
    CHECK(key("") != key(", tls: {server_name: other}"));
    CHECK(key("") != key(", connect: {allow_private: true}"));
}

TEST_CASE("suggestions are near, few, and only of models the caller may use") {
    const auto t = table_of(R"(providers: [{name: a, base_url: "http://127.0.0.1"}]
models:
  - {name: gpt-4o, targets: [{provider: a}]}
  - {name: gpt-4o-mini, targets: [{provider: a}]}
  - {name: gpt-4o-secret, targets: [{provider: a}]}
  - {name: claude, targets: [{provider: a}]}
)");
    identity all;
    const auto names = t->suggestions("gpt-4", all);
    REQUIRE(!names.empty());
    CHECK(names.size() <= 3);
    CHECK(names.front() == "gpt-4o");
    identity some;
    some.models = {"gpt-4o-mini", "claude"};
    CHECK(t->suggestions("gpt-4o-mine", some) == std::vector<std::string>{"gpt-4o-mini"});
    CHECK(t->suggestions("gpt-4o-secret", some) != t->suggestions("gpt-4o-secret", all));
}
