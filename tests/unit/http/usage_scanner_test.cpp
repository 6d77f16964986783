#include "http/usage_scanner.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

using namespace sluice;
using http::usage_scanner;

namespace {

using counts = std::vector<std::int64_t>;  // input, output, cached input, reasoning

counts of(const token_usage& u) {
    return {u.input, u.output, u.cached_input, u.reasoning};
}

counts scan(std::string_view text) {
    usage_scanner s;
    s.feed(text);
    const counts expected = of(s.usage());
    usage_scanner slow;
    for (const char c : text) slow.feed({&c, 1});
    CHECK(of(slow.usage()) == expected);
    for (std::size_t cut = 0; cut <= text.size() && cut < 5000; ++cut) {
        usage_scanner two;
        const std::vector<char> first(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(cut));
        two.feed({first.data(), first.size()});
        two.feed(text.substr(cut));
        if (of(two.usage()) != expected) FAIL("cut at " << cut);
    }
    return expected;
}

std::string fixture(const std::string& name) {
    std::ifstream in(std::filesystem::path(SLUICE_SOURCE_DIR) / "tests/golden/sse" / name, std::ios::binary);
    REQUIRE(in.good());
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

const counts none = {-1, -1, -1, -1};

}  // namespace

TEST_CASE("token counts of a stream are found in every dialect, however it is cut") {
    CHECK(scan(fixture("openai_chat.sse")) == counts{21, 9, 16, 4});
    CHECK(scan(fixture("openai_responses.sse")) == counts{37, 11, 5, 7});
    CHECK(scan(fixture("anthropic.sse")) == counts{128, 15, 100, -1});
    CHECK(scan(fixture("gemini.sse")) == counts{8, 42, 2, 30});
}

TEST_CASE("token counts of a plain body are found") {
    CHECK(
        scan(
            R"({"id":"x","choices":[],"usage" : { "prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12 }, "z":1})") ==
        counts{5, 7, -1, -1});
    CHECK(scan("{\n  \"usage\"\n:\t{\"input_tokens\":2095,\"output_tokens\":503}\n}") == counts{2095, 503, -1, -1});
    CHECK(scan(R"({"usage":{"prompt_tokens":5,"total_tokens":5}})") == counts{5, -1, -1, -1});  // embeddings
    CHECK(scan(R"({"usage":{"prompt_tokens":5,"prompt_tokens_details":null,"completion_tokens":1e2}})") ==
          counts{5, 100, -1, -1});
    CHECK(scan(R"({"usageMetadata":{"promptTokenCount":10,"toolUsePromptTokenCount":5,"candidatesTokenCount":3}})") ==
          counts{15, 3, -1, -1});
}

TEST_CASE("text that only speaks of usage is not taken for it") {
    CHECK(scan(R"({"content":"\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":6}"})") == none);
    CHECK(scan(R"({"x\"usage":{"prompt_tokens":5,"completion_tokens":6}})") == none);
    CHECK(scan(R"(["usage",{"prompt_tokens":5}])") == none);
    CHECK(scan(R"({"usages":{"prompt_tokens":5},"usag":{"prompt_tokens":5},"usageMeta":{"promptTokenCount":5}})") ==
          none);
    CHECK(scan(R"({"usage":null,"usage":[{"prompt_tokens":5}],"usage":"{}"})") == none);
    CHECK(scan(R"({"usage":{"other":5,"prompt_tokens":"5"}})") == none);
    CHECK(scan(R"({"usage":{"prompt_tokens":-5,"completion_tokens":1.5}})") == none);
    CHECK(scan(R"({"usage":{"prompt_tokens":5,})") == none);
    CHECK(scan(R"({"usage":{"prompt_tokens":5)") == none);
    CHECK(scan("") == none);
}

TEST_CASE("the last complete usage counts") {
    CHECK(scan(R"({"usage":{"prompt_tokens":1,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":1}}}
{"usage":{"prompt_tokens":3,"completion_tokens":4}}{"usage":null}{"usage":{"prompt_tok)") == counts{3, 4, -1, -1});
    CHECK(scan(R"({"us"usage":{"prompt_tokens":3,"completion_tokens":4}})") == counts{3, 4, -1, -1});
    // A model that calls a tool with such an argument does not change what is billed.
    CHECK(scan(R"({"a":{"usageMetadata":{"promptTokenCount":1,"cachedContentTokenCount":1000}},)"
               R"("usageMetadata":{"promptTokenCount":2000,"candidatesTokenCount":4}})") == counts{2000, 4, -1, -1});
}

TEST_CASE("a usage object above the limit is passed over and the next one read") {
    const std::string small = R"({"usage":{"prompt_tokens":3,"completion_tokens":4}})";
    for (const std::size_t size : {4000UL, 4060UL, 4096UL, 5000UL, 100'000UL}) {
        const std::string big = R"({"usage":{"prompt_tokens":9,"x":")" + std::string(size, 'x') + "\"}}";
        CHECK(scan(big + small) == counts{3, 4, -1, -1});
        CHECK(scan(big) == (size < 4065 ? counts{9, -1, -1, -1} : none));
    }
    usage_scanner s;
    s.feed(R"({"usage":{)" + std::string(1'000'000, '{'));
    s.feed(small);
    CHECK(of(s.usage()) == counts{3, 4, -1, -1});
}

TEST_CASE("counts that would overflow stay in range") {
    CHECK(scan(R"({"usage":{"input_tokens":9223372036854775807,"cache_read_input_tokens":9223372036854775807}})")[0] ==
          INT64_MAX);
}

TEST_CASE("the extra chunk that carries only usage is recognised") {
    CHECK(http::is_usage_only_chunk(R"({"choices":[],"usage":{"prompt_tokens":1}})"));
    CHECK(http::is_usage_only_chunk(R"({"usage" : {} , "choices" : [ ]})"));
    CHECK_FALSE(http::is_usage_only_chunk(R"({"choices":[],"usage":null})"));
    CHECK_FALSE(http::is_usage_only_chunk(R"({"choices":[],"prompt_filter_results":[]})"));
    CHECK_FALSE(http::is_usage_only_chunk(R"({"choices":[{"index":0}],"usage":{"prompt_tokens":1}})"));
    CHECK_FALSE(http::is_usage_only_chunk(R"({"usage":{"prompt_tokens":1}})"));
    CHECK_FALSE(http::is_usage_only_chunk(R"({"choices":[],"x":{"usage":{"prompt_tokens":1}}})"));
    CHECK_FALSE(http::is_usage_only_chunk("[DONE]"));
    CHECK_FALSE(http::is_usage_only_chunk(R"({"choices":[],"usage":{)"));
    CHECK_FALSE(http::is_usage_only_chunk(R"("usage":)"));
}
