#include "governance/catalogue/model_catalogue.hpp"

#include "unit/config/support.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <set>
#include <string>

using namespace sluice;
using namespace sluice::catalogue;
using config::testing::lines;
using config::testing::temporary_folder;

namespace {

lines problems(std::string_view yaml, catalogue_file& f) {
    return config::testing::problems_of(yaml, [&](config_reader& r) { read(r, f); });
}

// The problems of one model's fields.
lines refused(const std::string& fields) {
    catalogue_file f;
    return problems("models:\n  - {name: a, " + fields + "}\n", f);
}

model_info model(std::string name, std::vector<std::string> aliases = {}) {
    model_info m;
    m.name = std::move(name);
    m.aliases = std::move(aliases);
    return m;
}

std::string found(const model_catalogue& c, std::string_view name) {
    const model_info* m = c.find(name);
    return m != nullptr ? m->name : "-";
}

}  // namespace

TEST_CASE("a model is read with its prices as numbers or as texts, exactly") {
    catalogue_file f;
    CHECK(problems(R"(models:
  - name: m-1
    provider: acme
    family: m
    aliases: [m, "m-1-20*"]
    context_tokens: 128000
    output_tokens_max: 16384
    tokenizer: o200k_base
    capabilities: {chat: true, vision: false}
    prices:
      input: 2.5
      cached_input: "0.003625"
      cache_write: 3.125
      cache_write_1h: 5
      output: "10.00"
      reasoning: 4
      audio_input: 40
      audio_output: 80
      per_request: 0.002
      per_image: "0.04"
      batch: 0.5
      tiers:
        - {above_tokens: 200000, input: 5, output: 15}
)",
                   f) == lines{});
    REQUIRE(f.models.size() == 1);
    const model_info& m = f.models.front();
    CHECK(m.provider == "acme");
    CHECK(m.context_tokens == 128000);
    CHECK(m.output_tokens_max == 16384);
    CHECK(m.counts_with == tokenizer::o200k_base);
    CHECK(m.can.get(capability::chat) == true);
    CHECK(m.can.get(capability::vision) == false);
    CHECK(m.can.get(capability::tools) == std::nullopt);
    CHECK(m.prices.base.input == 2'500'000'000);
    CHECK(m.prices.base.cached_input == 3'625'000);
    CHECK(m.prices.base.cache_write == 3'125'000'000);
    CHECK(m.prices.base.cache_write_1h == 5'000'000'000);
    CHECK(m.prices.base.output == 10'000'000'000);
    CHECK(m.prices.base.reasoning == 4'000'000'000);
    CHECK(m.prices.base.audio_input == 40'000'000'000);
    CHECK(m.prices.base.audio_output == 80'000'000'000);
    CHECK(m.prices.per_request == 2'000'000);
    CHECK(m.prices.per_image == 40'000'000);
    CHECK(m.prices.batch_millionths == 500'000);
    REQUIRE(m.prices.tiers.size() == 1);
    CHECK(m.prices.tiers[0].above_tokens == 200000);
    CHECK(m.prices.tiers[0].prices.input == 5'000'000'000);
    CHECK(m.prices.tiers[0].prices.cached_input == std::nullopt);
}

TEST_CASE("what a model leaves out is not known, and not zero") {
    catalogue_file f;
    CHECK(problems("models: [{name: a}]", f) == lines{});
    CHECK(f.models.front() == model("a"));
    CHECK_FALSE(f.models.front().prices.base.any());
    CHECK(problems("models: [{name: a, prices: {input: 0}}]", f) == lines{});
    CHECK(f.models.front().prices.base.input == 0);
}

TEST_CASE("a price that is no decimal number, too fine or too high is a problem at its place") {
    CHECK(
        refused("prices: {input: free}") ==
        lines{"g.yaml:2:31: models[0].prices.input: expected a decimal number (hint: write 0.25 or \"0.25\": no sign, "
              "no exponent)"});
    CHECK(refused("prices: {input: -1}").size() == 1);
    CHECK(refused("prices: {input: 1e-3}").size() == 1);
    CHECK(refused("prices: {input: [1]}").size() == 1);
    CHECK(refused("prices: {input: null}").size() == 1);
    CHECK(refused("prices: {output: 0.0000000001}") ==
          lines{"g.yaml:2:32: models[0].prices.output: has more than 9 decimals, and is never rounded"});
    CHECK(refused("prices: {output: 1000001}") ==
          lines{"g.yaml:2:32: models[0].prices.output: is more than 1000000 dollars"});
    CHECK(refused("prices: {batch: 1.5}").size() == 1);
    CHECK(refused("prices: {batch: 0}").size() == 1);
    CHECK(refused("prices: {batch: 0.0000001}").size() == 1);
    CHECK(refused("prices: {tiers: [{above_tokens: 10, input: x}]}").size() == 1);
}

TEST_CASE("unknown keys, wrong types and tiers out of order are problems") {
    CHECK(refused("contxt_tokens: 5").size() == 1);
    CHECK(refused("prices: {inputs: 5}").size() == 1);
    CHECK(refused("capabilities: {visoin: true}").size() == 1);
    CHECK(refused("capabilities: {vision: yes}").size() == 1);
    CHECK(refused("tokenizer: p50k").size() == 1);
    CHECK(refused("context_tokens: -1").size() == 1);
    CHECK(refused("aliases: [\"\"]").size() == 1);
    CHECK(refused("prices: {tiers: [{input: 5}]}").size() == 1);
    CHECK(refused("prices: {tiers: [{above_tokens: 20}, {above_tokens: 20}]}").size() == 1);
    CHECK(refused("prices: {tiers: [{above_tokens: 20}, {above_tokens: 30}]}").empty());
}

TEST_CASE("one name for two models of a list is a problem") {
    catalogue_file f;
    CHECK(problems("models: [{name: a}, {name: a}]", f).size() == 1);
    CHECK(problems("models: [{name: a}, {name: b, aliases: [c, a]}]", f) ==
          lines{"g.yaml:1:44: models[1].aliases[1]: is already a name of \"a\""});
    CHECK(problems("models: [{name: a, aliases: [\"x-*\"]}, {name: b, aliases: [\"x-*\"]}]", f).size() == 1);
    CHECK(problems("models: [{name: a, aliases: [a]}]", f).size() == 1);
    CHECK(problems("models: [{name: a, aliases: [b]}, {name: b}]", f).size() == 1);
}

TEST_CASE("a model is found by its name, then by an alias, then by the longest glob") {
    const auto made = model_catalogue::build({model("gpt", {"g", "gpt-*"}), model("gpt-mini", {"gpt-mini-*"}),
                                              model("gpt-mini-2026"), model("o", {"gpt-x"})},
                                             {});
    REQUIRE(made.has_value());
    const model_catalogue& c = **made;
    CHECK(found(c, "gpt") == "gpt");
    CHECK(found(c, "g") == "gpt");
    CHECK(found(c, "gpt-2026-01-01") == "gpt");
    CHECK(found(c, "gpt-mini") == "gpt-mini");
    CHECK(found(c, "gpt-mini-2025") == "gpt-mini");
    CHECK(found(c, "gpt-mini-2026") == "gpt-mini-2026");
    CHECK(found(c, "gpt-x") == "o");
    CHECK(found(c, "claude") == "-");
    CHECK(found(c, "") == "-");
    CHECK(found(c, "GPT") == "-");
}

TEST_CASE("of globs of one length the first of the list holds") {
    const auto made = model_catalogue::build({model("a", {"m-1*"}), model("b", {"m-*1"})}, {});
    REQUIRE(made.has_value());
    CHECK(found(**made, "m-11") == "a");
}

TEST_CASE("an override replaces the fields that it has and leaves the others") {
    model_info base = model("m", {"m-*"});
    base.context_tokens = 1000;
    base.family = "f";
    base.counts_with = tokenizer::cl100k_base;
    base.prices.base.input = 10;
    base.prices.base.output = 20;
    base.prices.tiers.push_back({100, {}});
    base.can.set(capability::chat, true);
    base.can.set(capability::vision, true);

    model_info over = model("m");
    over.output_tokens_max = 50;
    over.prices.base.input = 0;
    over.prices.batch_millionths = 500'000;
    over.can.set(capability::vision, false);
    over.can.set(capability::tools, true);

    const auto made = model_catalogue::build({base, model("other")}, {over});
    REQUIRE(made.has_value());
    REQUIRE((*made)->models().size() == 2);
    model_info expected = base;
    expected.output_tokens_max = 50;
    expected.prices.base.input = 0;
    expected.prices.batch_millionths = 500'000;
    expected.can.set(capability::vision, false);
    expected.can.set(capability::tools, true);
    CHECK(*(*made)->find("m-2") == expected);

    model_info lists = model("m", {"n"});
    lists.prices.tiers.push_back({7, {}});
    const auto replaced = model_catalogue::build({base}, {lists});
    REQUIRE(replaced.has_value());
    CHECK(found(**replaced, "m-2") == "-");
    CHECK((*replaced)->find("n")->prices.tiers == lists.prices.tiers);
}

TEST_CASE("an override of a model that is not there adds it") {
    const auto made = model_catalogue::build({model("a")}, {model("ours", {"mine"})});
    REQUIRE(made.has_value());
    CHECK(found(**made, "mine") == "ours");
    CHECK(found(**made, "a") == "a");
}

TEST_CASE("an override that claims another model's name is refused with its place") {
    const auto place = [](const std::vector<model_info>& overrides) {
        const auto made = model_catalogue::build({model("a", {"x", "x-*"}), model("b")}, overrides);
        return made ? std::string{} : made.error().param;
    };
    CHECK(place({model("b", {"q"}), model("c", {"x"})}) == "models[1].aliases");
    CHECK(place({model("b", {"x-*"})}) == "models[0].aliases");
    CHECK(place({model("c", {"b"})}) == "models[0].aliases");
    CHECK(place({model("x")}) == "models[0].name");
    CHECK(place({model("a", {"y"}), model("b", {"x"})}).empty());
}

TEST_CASE("a catalogue without file and models is empty") {
    const auto loaded = load({}, "/nowhere");
    REQUIRE(loaded.made);
    CHECK(loaded.made->models().empty());
    CHECK(loaded.report.files.empty());
}

TEST_CASE("the file is looked for beside the configuration, and what is wrong in it is said with its place") {
    const temporary_folder folder;
    folder.write("m.yaml", "models: [{name: a, prices: {input: 1, output: 2}}]\n");
    folder.write("bad.yaml", "models: [{nam: a}]\n");
    catalogue_config c;
    c.file = "m.yaml";
    c.models.push_back(model("b"));
    c.models.push_back(model("a"));
    c.models.back().prices.base.output = 5;
    const auto loaded = load(c, folder.path(""));
    REQUIRE(loaded.made);
    CHECK(loaded.made->models().size() == 2);
    CHECK(loaded.made->find("a")->prices.base.input == 1'000'000'000);
    CHECK(loaded.made->find("a")->prices.base.output == 5);
    CHECK(loaded.report.seen.files().size() == 1);

    c.file = folder.path("m.yaml");
    CHECK(load(c, "/nowhere").made);

    c.file = "bad.yaml";
    const auto bad = load(c, folder.path(""));
    CHECK_FALSE(bad.made);
    CHECK_FALSE(bad.report.ok());
    CHECK(bad.report.problems.front().line == 1);

    c.file = "absent.yaml";
    CHECK_FALSE(load(c, folder.path("")).made);

    c.file = "m.yaml";
    c.models = {model("b", {"a"})};
    const auto clash = load(c, folder.path(""));
    CHECK_FALSE(clash.made);
    REQUIRE(clash.conflict);
    CHECK(clash.conflict->param == "models[0].aliases");
}
