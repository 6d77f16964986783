#include "dialects/cohere/cohere.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>

using namespace sluice;
using namespace sluice::chat;

TEST_CASE("an answer of Cohere's chat is read", "[dialects][cohere]") {
    const std::string_view body =
        R"({"id":"5a50480a-cf52-46f0-af01-53d18539bd31","message":{"role":"assistant",)"
        R"("content":[{"type":"thinking","thinking":"Hm."},{"type":"text","text":"It is\n20."}],)"
        R"("citations":[{"start":0,"end":2,"text":"It","sources":[],"content_index":1,"type":"TEXT_CONTENT"},)"
        R"({"start":3,"end":5,"text":"is","content_index":1},{"start":0,"end":1,"content_index":9}],)"
        R"("tool_plan":"I look.","tool_calls":[{"id":"f_1","type":"function",)"
        R"("function":{"name":"f","arguments":"{\"a\":1}"}},{"id":"g_2","type":"function",)"
        R"("function":{"name":"g","arguments":""}}]},"finish_reason":"TOOL_CALL",)"
        R"("usage":{"billed_units":{"input_tokens":10,"output_tokens":20},)"
        R"("tokens":{"input_tokens":416,"output_tokens":22},"cached_tokens":64},)"
        R"("logprobs":[{"text":"It","token_ids":[1],"logprobs":[-0.5]},)"
        R"({"text":" is","token_ids":[2,3],"logprobs":[-0.25,-0.5]}]})";
    answer a;
    REQUIRE(cohere::chat().read_answer(body, a).has_value());
    CHECK(a.id == R"("5a50480a-cf52-46f0-af01-53d18539bd31")");
    REQUIRE(a.choices.size() == 1);
    const choice& c = a.choices[0];
    CHECK(c.finish == finish_reason::tool_calls);
    REQUIRE(c.content.size() == 5);
    CHECK(std::get<reasoning_part>(c.content[0].value).text == R"("I look.")");
    CHECK(std::get<reasoning_part>(c.content[1].value).text == R"("Hm.")");
    const auto& text = std::get<text_part>(c.content[2].value);
    CHECK(text.text == R"("It is\n20.")");
    CHECK(text.from == "cohere");
    CHECK(text.citations == R"([{"start":0,"end":2,"text":"It","sources":[],"content_index":1,"type":"TEXT_CONTENT"},)"
                            R"({"start":3,"end":5,"text":"is","content_index":1}])");
    tool_call f;
    f.id = R"("f_1")";
    f.name = R"("f")";
    f.arguments = R"("{\"a\":1}")";
    CHECK((c.content[3] == part{f}));
    CHECK(std::get<tool_call>(c.content[4].value).arguments == R"("{}")");
    CHECK(a.usage.input == 416);
    CHECK(a.usage.output == 22);
    CHECK(a.usage.cached_input == 64);
    CHECK(c.logprobs == R"({"content":[{"token":"It","logprob":-0.5,"bytes":null,"top_logprobs":[]},)"
                        R"({"token":" is","logprob":-0.75,"bytes":null,"top_logprobs":[]}]})");
}

TEST_CASE("what is billed counts where nothing else was counted", "[dialects][cohere]") {
    answer a;
    REQUIRE(cohere::chat()
                .read_answer(R"({"message":{"content":[{"type":"text","text":"x"}]},"finish_reason":"MAX_TOKENS",)"
                             R"("usage":{"billed_units":{"input_tokens":10,"output_tokens":20}}})",
                             a)
                .has_value());
    CHECK(a.choices[0].finish == finish_reason::length);
    CHECK(a.usage.input == 10);
    CHECK(a.usage.output == 20);
    CHECK(a.usage.cached_input == -1);
}

TEST_CASE("what is no answer of Cohere, or a failed one, is the upstream's fault", "[dialects][cohere]") {
    for (const std::string_view body :
         {"", "x", "[]", "{}", R"({"message":{}})", R"({"finish_reason":"COMPLETE"})",
          R"({"message":"x","finish_reason":"COMPLETE"})", R"({"message":{"content":[]},"finish_reason":"ERROR"})",
          R"({"message":{"content":[]},"finish_reason":"TIMEOUT"})"}) {
        answer a;
        const auto read = cohere::chat().read_answer(body, a);
        INFO(body);
        REQUIRE_FALSE(read.has_value());
        CHECK(read.error().kind == error_kind::upstream_protocol);
        CHECK(a.choices.empty());
    }
}

TEST_CASE("errors of Cohere keep their message", "[dialects][cohere]") {
    const auto& d = cohere::chat();
    const error_facts bad = d.read_error(400, R"({"id":"c1","message":"invalid request: \"x\""})");
    CHECK(bad.status == 400);
    CHECK(bad.message == R"(invalid request: "x")");
    CHECK(bad.type == "invalid_request_error");
    CHECK(d.read_error(401, R"({"message":"invalid api token"})").type == "authentication_error");
    CHECK(d.read_error(498, R"({"message":"m"})").status == 401);
    CHECK(d.read_error(429, R"({"message":"m"})").type == "rate_limit_error");
    CHECK(d.read_error(400, R"({"message":"too many tokens: size limit exceeded"})").code == "context_length_exceeded");
    CHECK(d.read_error(502, "bad gateway").message == "The upstream answered with status 502: bad gateway");
    CHECK(d.read_error(502, "").message == "The upstream answered with status 502.");
}
