#include <catch2/catch.hpp>

#include "config/schema_writer.hpp"
#include "unit/config/sample.hpp"
#include "unit/config/support.hpp"

#include <simdjson.h>

#include <cstdlib>

using namespace sluice;
using namespace sluice::config;
using namespace sluice::config::testing;

namespace {

std::string sample_schema() {
    return write_schema([](config_reader& r) {
        sample::root c;
        c.key = secret{"never-shown"};
        read(r, c);
    });
}

// One value of the schema, as compact JSON.
std::string at(const std::string& schema, const char* pointer) {
    simdjson::dom::parser parser;
    simdjson::dom::element e;
    const simdjson::padded_string padded{schema};
    REQUIRE(parser.parse(padded).at_pointer(pointer).get(e) == simdjson::SUCCESS);
    return simdjson::minify(e);
}

}  // namespace

TEST_CASE("the schema says of each field what the loader checks") {
    const std::string schema = sample_schema();
    const auto property = [&](const std::string& name) { return at(schema, ("/properties/" + name).c_str()); };
    const std::string ref = R"((^|[^$])\\$\\{)";
    CHECK(at(schema, "/$schema") == "\"https://json-schema.org/draft/2020-12/schema\"");
    CHECK(at(schema, "/additionalProperties") == "false");
    CHECK(property("name") == R"({"description":"Name of the \"gateway\".","type":"string","default":"sluice"})");
    CHECK(property("key") == R"({"description":"A key.","type":"string"})");
    CHECK(property("trace") ==
          R"({"description":"Trace.","type":["boolean","string"],"pattern":")" + ref + R"(","default":false})");
    CHECK(property("port") == R"({"description":"Port.","type":["integer","string"],"pattern":")" + ref +
                                  R"(","minimum":1,"maximum":65535,"default":8080})");
    CHECK(at(schema, "/properties/small/maximum") == "255");
    CHECK(at(schema, "/properties/timeout/description") == R"("Timeout. At least 1s. At most 1h.")");
    CHECK(at(schema, "/properties/timeout/default") == "\"30s\"");
    CHECK(at(schema, "/properties/body/description") == R"("Largest body. At most 64MiB.")");
    CHECK(at(schema, "/properties/body/default") == "\"1MiB\"");
    CHECK(at(schema, "/properties/mode/anyOf/0/enum") == R"(["fast","careful","off"])");
    CHECK(at(schema, "/properties/mode/default") == "\"fast\"");
    CHECK(at(schema, "/properties/words/maxItems") == "3");
    CHECK(at(schema, "/properties/statuses/default") == "[429,503]");
    CHECK(at(schema, "/properties/targets/items/required") == R"(["provider"])");
    CHECK(at(schema, "/properties/named/additionalProperties/properties/weight/maximum") == "100");
    CHECK(at(schema, "/properties/limit/properties/tokens_per_minute/minimum") == "1");
    CHECK(at(schema, "/properties/include/type") == R"(["string","array"])");
    CHECK(schema.find("never-shown") == std::string::npos);
}

TEST_CASE("an item of a list of variants has one key, or is a name that needs none") {
    const std::string schema = sample_schema();
    CHECK(at(schema, "/properties/stages/items/anyOf/0/enum") == R"(["quota","relay"])");
    CHECK(at(schema, "/properties/stages/items/anyOf/1/maxProperties") == "1");
    CHECK(at(schema, "/properties/stages/items/anyOf/1/properties/guard/required") == R"(["word"])");
    CHECK(at(schema, "/properties/stages/items/anyOf/1/properties/relay/additionalProperties") == "false");
    CHECK(at(schema, "/properties/stages/items/anyOf/1/properties/quota/description") == "\"Limits.\"");
}

TEST_CASE("a type that holds itself becomes a reference") {
    const std::string schema = sample_schema();
    CHECK(at(schema, "/properties/match/$ref") == "\"#/$defs/recursive1\"");
    CHECK(at(schema, "/properties/match/description") == "\"Match.\"");
    CHECK(at(schema, "/$defs/recursive1/properties/all/items") == R"({"$ref":"#/$defs/recursive1"})");
}

namespace {

// Stages that hold stages: the recursion runs through callbacks, not through a type.
void read_nested(config_reader& r) {
    r.variants("stages", {{"group", "More stages.", read_nested}, {"relay", "", [](config_reader&) {}}}, "Stages.");
}

void read_for_ever(config_reader& r) {
    if (r.enter("again", "", {})) {
        read_for_ever(r);
        r.leave();
    }
}

}  // namespace

TEST_CASE("the schema ends whatever a read function does") {
    const std::string nested = write_schema(read_nested);
    CHECK(at(nested, "/properties/stages/items/$ref") == "\"#/$defs/recursive1\"");
    CHECK(at(nested, "/$defs/recursive1/anyOf/1/properties/group/properties/stages/items/$ref") ==
          "\"#/$defs/recursive1\"");
    CHECK(
        problems_of("stages: [{group: {stages: [relay, {group: {stages: [rely]}}]}}]", read_nested) ==
        lines{
            "g.yaml:1:53: stages[0].group.stages[1].group.stages[0]: unknown name \"rely\"; did you mean \"relay\"?"});
    CHECK(write_schema(read_for_ever).size() < 100'000);
    CHECK(at(write_schema(read_for_ever), "/properties/again/type") == "\"object\"");
}

TEST_CASE("a type used in two places is described in both unless it holds itself") {
    const std::string schema = write_schema([](config_reader& r) {
        sample::quota q;
        sample::condition c;
        r.section("a", q, "");
        r.section("b", q, "");
        r.section("c", c, "");
        r.section("d", c, "");
    });
    CHECK(at(schema, "/properties/a") == at(schema, "/properties/b"));
    CHECK(at(schema, "/properties/a/type") == "\"object\"");
    CHECK(at(schema, "/properties/c/$ref") == at(schema, "/properties/d/$ref"));
}

TEST_CASE("reader and schema judge the same documents alike") {
    if (std::system("python3 -c 'import jsonschema' 2>/dev/null") != 0) {
        WARN("python3 has no jsonschema: skipped");
        return;
    }
    // No traps of plain scalars here: JSON has none.
    const char* documents[] = {
        "{}",
        "{name: a, port: 1, trace: true, ratio: 0.5, body: 8MiB, timeout: 5s, mode: careful}",
        "{port: \"${PORT:-5}\", trace: \"${T:-true}\", mode: \"${M:-fast}\", timeout: \"${D:-5s}\", body: \"${B:-1}\"}",
        "{port: 0}",
        "{port: 65536}",
        "{port: \"80\"}",
        "{port: 1.5}",
        "{port: null}",
        "{small: 256}",
        "{small: -1}",
        "{ratio: 2}",
        "{ratio: 1}",
        "{ratio: \"1\"}",
        "{name: 5}",
        "{name: null}",
        "{name: [a]}",
        "{name: \"\"}",
        "{trace: \"true\"}",
        "{trace: 1}",
        "{body: 4096}",
        "{body: -1}",
        "{body: \"4096\"}",
        "{body: 1.5}",
        "{body: 8mb}",
        "{body: 1.5MB}",
        "{timeout: 30}",
        "{timeout: 30x}",
        "{timeout: 1.5m}",
        "{timeout: \"\"}",
        "{mode: slow}",
        "{mode: 1}",
        "{words: [a, b, c]}",
        "{words: [a, b, c, d]}",
        "{words: [1]}",
        "{words: a}",
        "{statuses: []}",
        "{statuses: [1, -5]}",
        "{statuses: [a]}",
        "{statuses: [3000000000]}",
        "{headers: {a: b}}",
        "{headers: {a: 1}}",
        "{headers: []}",
        "{schema: null}",
        "{schema: {a: [1, {b: c}]}}",
        "{defaults: {a: 1, b: null}}",
        "{defaults: [1]}",
        "{limit: {}}",
        "{limit: null}",
        "{limit: {tokens_per_minute: 0}}",
        "{limit: {burst: 1}}",
        "{targets: []}",
        "{targets: [{provider: a}]}",
        "{targets: [{provider: \"\"}]}",
        "{targets: [{weight: 1}]}",
        "{targets: {}}",
        "{named: {a: {provider: x}}}",
        "{named: {a: {}}}",
        "{match: {all: [{all: [{path: x}]}]}}",
        "{match: {all: [{all: [{pth: x}]}]}}",
        "{stages: [relay, quota, {guard: {word: x}}, {relay: {}}]}",
        "{stages: [guard]}",
        "{stages: [cache]}",
        "{stages: [{guard: {}}]}",
        "{stages: [{}]}",
        "{stages: [{relay: {}, quota: {}}]}",
        "{stages: [{relay: null}]}",
        "{stages: [[relay]]}",
        "{unknown: 1}",
    };
    std::string cases = "[";
    std::string verdicts;
    for (const char* yaml : documents) {
        sample::root c;
        const bool good = problems_of(yaml, [&](config_reader& r) { read(r, c); }).empty();
        verdicts += good ? "1\n" : "0\n";
        // The same document as JSON, by a reader that takes any value.
        std::string json;
        CHECK(problems_of(
                  "any: " + std::string{yaml}, [&](config_reader& r) { r.json("any", json, ""); }, fake_environment())
                  .empty() == (std::string_view{yaml}.find("${") == std::string_view::npos || !json.empty()));
        if (std::string_view{yaml}.find("${") != std::string_view::npos) {
            // The schema sees references as they are written.
            json =
                R"({"port":"${PORT:-5}","trace":"${T:-true}","mode":"${M:-fast}","timeout":"${D:-5s}","body":"${B:-1}"})";
        }
        cases += (cases.size() > 1 ? "," : "") + json;
    }
    const temporary_folder folder;
    folder.write("schema.json", sample_schema());
    folder.write("cases.json", cases + "]");
    const std::string judge = folder.write("judge.py", R"(import json, sys, jsonschema
folder = sys.argv[1]
schema = json.load(open(folder + "/schema.json"))
jsonschema.Draft202012Validator.check_schema(schema)
judge = jsonschema.Draft202012Validator(schema)
with open(folder + "/verdicts", "w") as out:
    for case in json.load(open(folder + "/cases.json")):
        out.write("1\n" if judge.is_valid(case) else "0\n")
)");
    REQUIRE(std::system(("python3 " + judge + " " + folder.path("")).c_str()) == 0);
    std::ifstream in{folder.path("verdicts")};
    std::istringstream ours{verdicts};
    std::string theirs, mine;
    for (const char* yaml : documents) {
        REQUIRE(std::getline(in, theirs));
        REQUIRE(std::getline(ours, mine));
        INFO(yaml);
        CHECK(mine == theirs);
    }
}
