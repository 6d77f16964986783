#include "sim/schema_value.hpp"

#include <simdjson.h>

#include <catch2/catch.hpp>

using namespace sluice::sim;

namespace {

struct parsed {
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    explicit parsed(const std::string& text) { root = parser.parse(text).value(); }
};

}  // namespace

TEST_CASE("a value has the properties, types and bounds its schema asks for") {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const parsed v(value_for_schema(
            R"({"type":"object","properties":{"city":{"type":"string","minLength":12,"maxLength":12},
                "days":{"type":"integer","minimum":2,"maximum":4},"unit":{"enum":["c","f"]},
                "tags":{"type":"array","minItems":2,"items":{"type":"boolean"}},
                "maybe":{"anyOf":[{"type":"number","maximum":-5},{"type":"null"}]},"fixed":{"const":7}}})",
            seed));
        CHECK(std::string_view(v.root["city"]).size() == 12);
        CHECK(std::int64_t(v.root["days"]) >= 2);
        CHECK(std::int64_t(v.root["days"]) <= 4);
        const std::string_view unit = v.root["unit"];
        CHECK((unit == "c" || unit == "f"));
        CHECK(simdjson::dom::array(v.root["tags"]).size() == 2);
        CHECK(double(v.root["maybe"]) <= -5);
        CHECK(std::int64_t(v.root["fixed"]) == 7);
    }
}

TEST_CASE("references are followed and recursive schemas end") {
    const parsed v(value_for_schema(
        R"({"$defs":{"node":{"type":"object","properties":{"next":{"$ref":"#/$defs/node"}}}},"$ref":"#/$defs/node"})",
        1));
    CHECK(v.root["next"].is_object());
}

TEST_CASE("equal seeds give equal values and what is no schema gives an empty object") {
    CHECK(value_for_schema(R"({"type":"string"})", 3) == value_for_schema(R"({"type":"string"})", 3));
    CHECK(value_for_schema("nonsense", 3) == "{}");
}
