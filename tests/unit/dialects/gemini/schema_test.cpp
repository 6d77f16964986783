#include "dialects/gemini/gemini.hpp"

#include <catch2/catch.hpp>

using namespace sluice::chat;

TEST_CASE("a count in a string becomes a number, other strings stay what they are", "[dialects][gemini]") {
    text_arena arena;
    CHECK(gemini::plain_schema(R"({"type":"ARRAY","minItems":"12"})", arena) == R"({"type":"array","minItems":12})");
    CHECK(gemini::plain_schema(R"({"minItems":"!"})", arena) == R"({"minItems":"!"})");
    CHECK(gemini::plain_schema(R"({"minItems":"01"})", arena) == R"({"minItems":"01"})");
    CHECK(gemini::plain_schema(R"({"min_items":""})", arena) == R"({"min_items":""})");
}
