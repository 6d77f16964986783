// The configurations that the documentation shows are loaded, and its links lead somewhere.
#include "app/gateway_config.hpp"
#include "governance/catalogue/model_catalogue.hpp"
#include "routing/presets.hpp"
#include "unit/config/support.hpp"
#include "unit/routing/service_account_key.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

using namespace sluice;

namespace {

std::string page(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

// What stands between ```yaml and ```.
std::vector<std::string> yaml_blocks(const std::string& text) {
    std::vector<std::string> blocks;
    const std::string opening = "\n```yaml\n", closing = "\n```";
    for (auto at = text.find(opening); at != std::string::npos; at = text.find(opening, at)) {
        at += opening.size();
        const auto end = text.find(closing, at);
        REQUIRE(end != std::string::npos);
        blocks.push_back(text.substr(at, end + 1 - at));
        at = end;
    }
    return blocks;
}

// Targets of [text](target), as written.
std::vector<std::string> links(const std::string& text) {
    std::vector<std::string> found;
    for (auto at = text.find("]("); at != std::string::npos; at = text.find("](", at)) {
        at += 2;
        found.push_back(text.substr(at, text.find(')', at) - at));
    }
    return found;
}

std::vector<std::filesystem::path> pages() {
    std::vector<std::filesystem::path> found{SLUICE_SOURCE_DIR "/README.md", SLUICE_SOURCE_DIR "/ARCHITECTURE.md"};
    for (const auto& e : std::filesystem::recursive_directory_iterator(SLUICE_SOURCE_DIR "/docs")) {
        if (e.path().extension() == ".md") found.push_back(e.path());
    }
    return found;
}

// Or a part of one, not of some section further down.
bool is_configuration(const std::string& block) {
    const std::string text = "\n" + block;
    for (const char* key : {"\nlisteners:", "\nproviders:", "\nroutes:", "\naccess_log:", "\ntracing:"}) {
        if (text.find(key) != std::string::npos) return true;
    }
    return false;
}

// Each ${NAME} of a configuration has some value.
std::map<std::string, std::string> variables(const std::string& text) {
    std::map<std::string, std::string> found;
    for (auto at = text.find("${"); at != std::string::npos; at = text.find("${", at + 2)) {
        const auto end = text.find_first_of(":}", at);
        found[text.substr(at + 2, end - at - 2)] = "sk-" + std::to_string(found.size());
    }
    return found;
}

}  // namespace

TEST_CASE("the configuration that rewrite.md shows loads without a problem") {
    const auto blocks = yaml_blocks(page(SLUICE_SOURCE_DIR "/docs/rewrite.md"));
    REQUIRE(blocks.size() == 1);
    app::gateway_config c;
    const auto problems = config::testing::problems_of(
        blocks.front(), [&](config_reader& r) { read(r, c); },
        config::testing::fake_environment({{"TEAM_A_KEY", "sk-team-a"}, {"OPENAI_API_KEY", "sk-openai"}}));
    CHECK(problems == config::testing::lines{});
    REQUIRE(c.routes.size() == 1);
    CHECK(c.routes.front().stages.size() == 4);
}

TEST_CASE("the catalogue that models.md shows loads over the shipped file without a problem") {
    const auto blocks = yaml_blocks(page(SLUICE_SOURCE_DIR "/docs/models.md"));
    REQUIRE(blocks.size() == 1);
    app::gateway_config c;
    const auto problems = config::testing::problems_of(blocks.front(), [&](config_reader& r) { read(r, c); });
    CHECK(problems == config::testing::lines{});
    const auto loaded = catalogue::load(c.catalogue, SLUICE_SOURCE_DIR "/config");
    REQUIRE(loaded.made != nullptr);
    const catalogue::model_info* negotiated = loaded.made->find("gpt-4o-2024-08-06");
    REQUIRE(negotiated != nullptr);
    CHECK(negotiated->prices.base.input == 2'250'000'000);
    CHECK(negotiated->prices.base.cached_input.has_value());
    CHECK(negotiated->context_tokens > 0);
    REQUIRE(loaded.made->find("summarizer-v3-0412") != nullptr);
    CHECK(loaded.made->find("summarizer-v3-0412")->can.get(catalogue::capability::tools) == false);
}

TEST_CASE("every configuration that a page shows loads without a problem") {
    const std::map<std::string, std::string> files{
        {"/run/secrets/vertex.json", routing::testing::key_file(routing::testing::account_key().pem())}};
    std::size_t seen = 0;
    for (const auto& file : pages()) {
        for (std::string block : yaml_blocks(page(file))) {
            if (!is_configuration(block)) continue;
            if (const auto at = block.find("sha256:..."); at != std::string::npos)
                block.replace(at + 7, 3, std::string(64, 'a'));
            // A part of a configuration is completed by what every one needs.
            if (block.find("listeners:") == std::string::npos) block += "listeners: [{address: 127.0.0.1:8080}]\n";
            if (block.find("routes:") == std::string::npos) block += "routes: [{match: {path: /*}, stages: [relay]}]\n";
            CAPTURE(file, block);
            app::gateway_config c;
            CHECK(config::testing::problems_of(
                      block, [&](config_reader& r) { read(r, c); },
                      config::testing::fake_environment(variables(block), files)) == config::testing::lines{});
            ++seen;
        }
    }
    CHECK(seen > 20);
}

TEST_CASE("links of every page lead to files that exist") {
    for (const auto& file : pages()) {
        for (const std::string& link : links(page(file))) {
            CAPTURE(file, link);
            const bool elsewhere = link.starts_with("http") || link.starts_with("#");
            CHECK((elsewhere || std::filesystem::exists(file.parent_path() / link.substr(0, link.find('#')))));
        }
    }
}

TEST_CASE("providers.md shows each preset with its address") {
    const std::string text = page(SLUICE_SOURCE_DIR "/docs/providers.md");
    for (const routing::preset& p : routing::presets()) {
        CAPTURE(p.name);
        CHECK(text.find("`" + std::string(p.name) + "`") != std::string::npos);
        CHECK(text.find("`" + std::string(p.base_url) + "`") != std::string::npos);
    }
}
