#include "routing/presets.hpp"

#include "config/schema_writer.hpp"
#include "http/url.hpp"
#include "unit/routing/support.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace sluice;
using namespace sluice::routing;
using namespace sluice::routing::testing;

namespace {

std::string problems_with(const std::string& provider) {
    return routing_problems("providers:\n  - {" + provider + "}\n");
}

provider_config provider_of(const std::string& provider) {
    routing_config c;
    CHECK(problems_of("providers:\n  - {" + provider + "}\n", c) == "");
    return c.providers.at(0);
}

bool complains(const std::string& problems, std::string_view text) {
    CAPTURE(problems);
    return problems.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("a preset names the provider, its address, its dialect and its quirks") {
    const provider_config c = provider_of("preset: deepseek, credentials: [{api_key: k}]");
    CHECK(c.name == "deepseek");
    CHECK(c.base_urls == std::vector<std::string>{"https://api.deepseek.com"});
    CHECK(c.speaks == dialect::openai_chat);
    CHECK(c.quirks.max_tokens_field == "max_tokens");
    CHECK_FALSE(c.quirks.developer_role);
    CHECK(c.quirks.history == chat_quirks::reasoning::content);
}

TEST_CASE("what the operator writes wins over the preset") {
    const provider_config c =
        provider_of("name: ours, preset: vllm, base_url: [\"http://10.0.0.7:9000/v1\", \"http://10.0.0.8:9000/v1\"]");
    CHECK(c.name == "ours");
    CHECK(c.base_urls == std::vector<std::string>{"http://10.0.0.7:9000/v1", "http://10.0.0.8:9000/v1"});
    CHECK(c.quirks.top_k);  // the rest stays the preset's
    const provider_config other = provider_of("dialect: azure, api_version: 2024-10-21, preset: openai");
    CHECK(other.speaks == dialect::azure);
}

TEST_CASE("a provider without a preset is like OpenAI's own") {
    const provider_config c = provider_of("name: a, base_url: \"https://a.example.com/v1\"");
    CHECK(c.quirks.max_tokens_field == "max_completion_tokens");
    CHECK(c.quirks.developer_role);
    CHECK(c.quirks.history == chat_quirks::reasoning::none);
    CHECK_FALSE(c.quirks.top_k);
}

TEST_CASE("an unknown preset is a problem at its place that names the nearest, and nothing else is missing") {
    const std::string p = problems_with("preset: deepsek");
    CHECK(complains(p, "g.yaml:2:14: providers[0].preset: "));
    CHECK(complains(p, "did you mean \"deepseek\"?"));
    CHECK(std::count(p.begin(), p.end(), '\n') == 1);
    CHECK(complains(problems_with("preset: \"\""), "providers[0].preset"));
    CHECK(complains(problems_with("preset: OpenAI"), "did you mean \"openai\"?"));
}

TEST_CASE("a provider with neither preset nor base_url is told what to write") {
    CHECK(complains(
        problems_with("name: groq"),
        "providers[0]: a provider needs a base_url or a preset (hint: preset: groq stands for its base_url)"));
    CHECK(complains(problems_with("name: ours"), "(hint: write base_url: https://...)"));
    CHECK(complains(problems_with("base_url: \"https://a.example.com\""), "missing key \"name\""));
    CHECK(complains(problems_with("preset: groq, name: \"\""), "must not be empty"));
    CHECK(complains(problems_with("preset: groq, base_url: []"), "at least one URL is expected"));
}

TEST_CASE("two providers of one preset need names of their own") {
    const std::string two = "providers: [{preset: groq}, {preset: groq";
    CHECK(complains(routing_problems(two + "}]\n"), "there is already one called \"groq\""));
    CHECK(routing_problems(two + ", name: other}]\n") == "");
}

TEST_CASE("each preset can be written and leads to an address that paths can be put behind") {
    std::set<std::string_view> names;
    for (const preset& p : presets()) {
        CAPTURE(p.name);
        CHECK(names.insert(p.name).second);
        CHECK(problems_with("preset: " + std::string(p.name)) == "");
        const auto url = http::parse_url(p.base_url);
        REQUIRE(url.has_value());
        CHECK_FALSE(p.base_url.ends_with('/'));
        const bool here = url->host == "127.0.0.1";
        CHECK(url->tls != here);  // keys go over TLS; only a server of this machine needs none
    }
    CHECK(names.size() >= 20);
}

TEST_CASE("the schema knows every preset, and no key of a provider that a preset gives is required") {
    routing_config c;
    const std::string schema = config::write_schema([&](config_reader& r) { read(r, c); });
    for (const preset& p : presets()) CHECK(complains(schema, "\"" + std::string(p.name) + "\""));
    CHECK(complains(schema, "\"gcp_service_account\""));
    CHECK(complains(schema, "\"federated_token_file\""));
}
