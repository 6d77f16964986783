#include "routing/picker/prompt_slices.hpp"

#include "routing/picker/prefix_hasher.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace sluice;
using namespace sluice::picker;

namespace {

std::string prompt_of(const std::string& body) {
    const auto object = json_object::parse(body);
    REQUIRE(object.has_value());
    std::vector<prompt_slice> slices;
    find_prompt(*object, slices);
    std::string text;
    for (const auto& s : slices)
        text += s.media ? "<media " + std::to_string(s.bytes.size()) + ">" : std::string(s.bytes);
    return text;
}

const std::string base64_3k(3'000, 'Q');

}  // namespace

TEST_CASE("a prompt is tools, then instructions, then messages, wherever they stand in the body") {
    CHECK(prompt_of(R"({"messages":[{"role":"user","content":"hi"}],"model":"m","tools":[{"name":"t"}]})") ==
          R"([{"name":"t"}[{"role":"user","content":"hi"})");
    CHECK(prompt_of(R"({"system":"be brief","messages":[1],"tools":[2]})") == R"([2"be brief[1)");
    CHECK(prompt_of(R"({"contents":[1],"systemInstruction":{"parts":[]},"tools":[2]})") == R"([2{"parts":[]}[1)");
    CHECK(prompt_of(R"({"instructions":"a","input":"b","temperature":0.5})") == R"("a"b)");
    CHECK(prompt_of(R"({"prompt":"once upon"})") == R"("once upon)");
    CHECK(prompt_of(R"({"model":"m"})").empty());
    CHECK(prompt_of(R"({"tools":null,"messages":[]})") == "[");
}

TEST_CASE("a body with one more turn begins with the prompt of the body before") {
    const std::string turn = R"({"role":"user","content":"hello, \"you\""})";
    for (const std::string separator : {",", ", ", ",\n    "}) {
        for (const std::string close : {"]", "\n  ]"}) {
            const auto one = prompt_of(R"({"messages": [)" + turn + close + "}");
            const auto two = prompt_of(R"({"messages": [)" + turn + separator + turn + close + "}");
            CHECK(two.starts_with(one));
            CHECK(two.size() >= one.size() + turn.size());
        }
    }
    CHECK(prompt_of(R"({"prompt":"once upon a time"})").starts_with(prompt_of(R"({"prompt":"once upon"})")));
}

TEST_CASE("an image in base64 stands apart, as OpenAI, Anthropic and Gemini write it") {
    CHECK(prompt_of(R"({"messages":[{"url":"data:image/png;base64,)" + base64_3k + R"("}]})") ==
          R"([{"url":"data:image/png;base64,<media 3000>"})");
    CHECK(prompt_of(R"({"messages":[{"media_type":"image/png","data": ")" + base64_3k + R"("},7]})") ==
          R"([{"media_type":"image/png","data": "<media 3000>"},7)");
    CHECK(prompt_of(R"({"contents":[{"inlineData":{"mimeType":"x/y","data":")" + base64_3k + R"("}}]})") ==
          R"([{"inlineData":{"mimeType":"x/y","data":"<media 3000>"}})");
}

TEST_CASE("long words that nobody announced as media are text") {
    const std::string body = R"({"messages":[{"content":")" + base64_3k + R"("}]})";
    CHECK(prompt_of(body) == R"([{"content":")" + base64_3k + R"("})");
}

TEST_CASE("media are found at any offset") {
    for (std::size_t lead = 0; lead < 2'100; lead += 13) {
        const std::string words(lead, '.');
        const std::string body = R"({"messages":[{"text":")" + words + R"(","data":")" + base64_3k + R"("},{"data":")" +
                                 base64_3k + R"("}]})";
        const std::string expected = R"([{"text":")" + words + R"(","data":"<media 3000>"},{"data":"<media 3000>"})";
        REQUIRE(prompt_of(body) == expected);
    }
}

TEST_CASE("cache marks that move from turn to turn leave the prompt as it was") {
    const std::string marked =
        R"({"messages":[{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}},{"x":1}]})";
    CHECK(prompt_of(marked) == R"([{"type":"text","text":"a"},{"x":1})");
    CHECK(prompt_of(R"({"messages":[{"cache_control": {"type":"}"} , "text":"a"}]})") == R"([{ "text":"a"})");
    CHECK(prompt_of(R"({"messages":[{"text":"a","cache_control":null }]})") == R"([{"text":"a" })");
    CHECK(prompt_of(R"({"messages":[{"cache_control":{}}]})") == "[{}");
}

TEST_CASE("text that only speaks of cache marks is kept") {
    const std::string body = R"({"messages":[{"text":"write \"cache_control\": {} there"},"cache_control"]})";
    CHECK(prompt_of(body) == R"([{"text":"write \"cache_control\": {} there"},"cache_control")");
}
