#include <catch2/catch.hpp>

#include <sluice/json.hpp>

#include <simdjson.h>

#include <map>
#include <random>

using namespace sluice;

namespace {

bool parses(std::string_view text) {
    return json_object::parse(text).has_value();
}

std::string edited(const std::string& text, const std::vector<std::pair<std::string, std::string>>& changes) {
    const auto o = json_object::parse(text);
    REQUIRE(o.has_value());
    json_edits edits;
    for (const auto& [key, value] : changes) {
        if (value.empty()) {
            edits.remove(*o, key);
        } else {
            edits.set(*o, key, value);
        }
    }
    const std::string out = edits.apply(text);
    CHECK(edits.size(text) == out.size());
    return out;
}

}  // namespace

TEST_CASE("an edit leaves every other byte as it was") {
    const std::string text = R"( { "model" : "a" ,  "x":1.00 , "stream":false } )";
    CHECK(edited(text, {}) == text);
    CHECK(edited(text, {{"model", "\"b\""}}) == R"( { "model" : "b" ,  "x":1.00 , "stream":false } )");
    CHECK(edited(text, {{"new", "[]"}}) == R"( { "model" : "a" ,  "x":1.00 , "stream":false,"new":[] } )");
    CHECK(edited(text, {{"stream", "true"}, {"model", "1"}}) == R"( { "model" : 1 ,  "x":1.00 , "stream":true } )");
}

TEST_CASE("removing takes the right comma") {
    const std::string text = R"({"a":1,"b":2,"c":3})";
    CHECK(edited(text, {{"a", ""}}) == R"({"b":2,"c":3})");
    CHECK(edited(text, {{"b", ""}}) == R"({"a":1,"c":3})");
    CHECK(edited(text, {{"c", ""}}) == R"({"a":1,"b":2})");
    CHECK(edited(text, {{"b", ""}, {"a", ""}}) == R"({"c":3})");
    CHECK(edited(text, {{"c", ""}, {"b", ""}}) == R"({"a":1})");
    CHECK(edited(text, {{"a", ""}, {"c", ""}}) == R"({"b":2})");
    CHECK(edited(text, {{"a", ""}, {"b", ""}, {"c", ""}}) == "{}");
    CHECK(edited(text, {{"absent", ""}}) == text);
}

TEST_CASE("members are added to empty and emptied objects") {
    CHECK(edited("{}", {{"a", "1"}}) == R"({"a":1})");
    CHECK(edited("{ }", {{"a", "1"}, {"b", "2"}}) == R"({"a":1,"b":2 })");
    CHECK(edited(R"({"x":0})", {{"x", ""}, {"a", "1"}, {"b", "2"}}) == R"({"a":1,"b":2})");
    CHECK(edited(R"({"x":0,"y":0})", {{"a", "1"}, {"y", ""}}) == R"({"x":0,"a":1})");
}

TEST_CASE("a later edit of the same key replaces the earlier one") {
    const std::string text = R"({"a":1,"b":2})";
    CHECK(edited(text, {{"a", "5"}, {"a", "6"}}) == R"({"a":6,"b":2})");
    CHECK(edited(text, {{"a", ""}, {"a", "6"}}) == R"({"a":6,"b":2})");
    CHECK(edited(text, {{"a", "6"}, {"a", ""}}) == R"({"b":2})");
    CHECK(edited(text, {{"n", "6"}, {"n", "7"}}) == R"({"a":1,"b":2,"n":7})");
    CHECK(edited(text, {{"n", "6"}, {"n", ""}}) == text);
}

TEST_CASE("added keys are escaped and escaped keys are edited") {
    CHECK(edited("{}", {{"a\"\n", "1"}}) == R"({"a\"\n":1})");
    CHECK(edited(R"({"mod\u0065l":1})", {{"model", "2"}}) == R"({"mod\u0065l":2})");
}

TEST_CASE("members of an inner object are edited in its own text") {
    const std::string text = R"({"o": {"a":1, "b":2} })";
    const auto outer = json_object::parse(text);
    const auto inner = json_object::inside(*outer->find("o"));
    json_edits edits;
    edits.remove(*inner, "a");
    edits.set(*inner, "c", "3");
    CHECK(edits.apply(inner->text()) == R"({"b":2,"c":3})");
}

TEST_CASE("any row of edits gives what a map would hold") {
    std::mt19937 random(7);
    simdjson::dom::parser parser;
    for (int round = 0; round < 3000; ++round) {
        std::map<std::string, std::int64_t> model;
        std::string text = random() % 2 ? "{" : " {\n";
        for (std::size_t i = 0, n = random() % 6; i < n; ++i) {
            if (i > 0) text += random() % 2 ? "," : " , ";
            const std::string key = "k" + std::to_string(i);
            const auto value = static_cast<std::int64_t>(random() % 1000);
            text += "\"" + key + "\"" + (random() % 2 ? ":" : " : ") + std::to_string(value);
            model[key] = value;
        }
        text += random() % 2 ? "}" : " }\n";
        const auto o = json_object::parse(text);
        REQUIRE(o.has_value());
        json_edits edits;
        for (std::size_t i = 0, n = random() % 8; i < n; ++i) {
            const std::string key = "k" + std::to_string(random() % 9);
            if (random() % 2) {
                edits.remove(*o, key);
                model.erase(key);
            } else {
                model[key] = static_cast<std::int64_t>(random() % 1000);
                edits.set(*o, key, std::to_string(model[key]));
            }
        }
        const std::string out = edits.apply(text);
        CHECK(edits.size(text) == out.size());
        INFO(text << " -> " << out);
        REQUIRE(parses(out));
        std::map<std::string, std::int64_t> read;
        simdjson::dom::object parsed;
        REQUIRE(parser.parse(out).get(parsed) == simdjson::SUCCESS);
        for (const auto [key, value] : parsed) read[std::string{key}] = value.get_int64();
        REQUIRE(read == model);
    }
}
