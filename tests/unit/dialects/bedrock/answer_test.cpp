#include "dialects/bedrock/bedrock.hpp"
#include "dialects/bedrock/models.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>

using namespace sluice;
using namespace sluice::chat;

namespace {

finish_reason finish_of(std::string_view stop_reason) {
    answer a;
    const std::string body =
        R"({"output":{"message":{"role":"assistant","content":[]}},"stopReason":")" + std::string(stop_reason) + "\"}";
    REQUIRE(bedrock::converse().read_answer(body, a).has_value());
    return a.choices.at(0).finish;
}

}  // namespace

TEST_CASE("an answer of Converse is read", "[dialects][bedrock]") {
    const std::string_view body =
        R"({"metrics":{"latencyMs":1275},"output":{"message":{"content":[)"
        R"({"reasoningContent":{"reasoningText":{"text":"Hm.","signature":"EqQB"}}},)"
        R"({"reasoningContent":{"redactedContent":"b3Bh"}},{"text":"It is\n20."},)"
        R"({"toolUse":{"input":{"city":"K\u00f6ln"},"name":"weather","toolUseId":"tooluse_kZJMlvQmRJ6eAyJE5GIl7Q"}},)"
        R"({"image":{"format":"png","source":{"bytes":"iVBO"}}},)"
        R"({"guardContent":{"text":{"text":"x"}}}],"role":"assistant"}},)"
        R"("serviceTier":{"type":"flex"},"stopReason":"tool_use",)"
        R"("additionalModelResponseFields":{"stop_sequence":"##"},)"
        R"("usage":{"cacheReadInputTokens":30,"cacheWriteInputTokens":12,"inputTokens":8,"outputTokens":5,)"
        R"("cacheDetails":[{"inputTokens":10,"ttl":"1h"},{"inputTokens":2,"ttl":"5m"}],"totalTokens":55}})";
    answer a;
    REQUIRE(bedrock::converse().read_answer(body, a).has_value());
    REQUIRE(a.choices.size() == 1);
    const choice& c = a.choices[0];
    CHECK(c.finish == finish_reason::tool_calls);
    CHECK(c.stop_sequence == R"("##")");
    REQUIRE(c.content.size() == 6);
    reasoning_part thought;
    thought.text = R"("Hm.")";
    thought.signature = "EqQB";
    thought.from = "anthropic";
    CHECK((c.content[0] == part{thought}));
    reasoning_part redacted;
    redacted.encrypted = "b3Bh";
    redacted.from = "anthropic";
    CHECK((c.content[1] == part{redacted}));
    CHECK((c.content[2] == part{text_part{R"("It is\n20.")", {}, {}}}));
    tool_call call;
    call.id = R"("tooluse_kZJMlvQmRJ6eAyJE5GIl7Q")";
    call.name = R"("weather")";
    call.arguments = R"({"city":"K\u00f6ln"})";
    CHECK((c.content[3] == part{call}));
    media_part image;
    image.base64 = "iVBO";
    image.mime = "image/png";
    CHECK((c.content[4] == part{image}));
    CHECK(std::get<native_part>(c.content[5].value).type == "guardContent");
    CHECK(a.service_tier == R"("flex")");
    CHECK((a.usage == token_usage{.input = 50,
                                  .output = 5,
                                  .cached_input = 30,
                                  .reasoning = -1,
                                  .cache_write = 12,
                                  .cache_write_1h = 10,
                                  .audio_input = -1,
                                  .audio_output = -1}));
}

TEST_CASE("citations are read as Claude's own", "[dialects][bedrock]") {
    const std::string_view body =
        R"({"output":{"message":{"role":"assistant","content":[{"citationsContent":{"content":[{"text":"a"},)"
        R"({"text":"\"b\""}],"citations":[{"title":"T","source":"s","sourceContent":[{"text":"cited"}],)"
        R"("location":{"documentPage":{"documentIndex":0,"start":2,"end":3}}},)"
        R"({"title":"W","location":{"web":{"url":"https://example.com","domain":"example.com"}}}]}}]}},)"
        R"("stopReason":"end_turn"})";
    answer a;
    REQUIRE(bedrock::converse().read_answer(body, a).has_value());
    const auto& text = std::get<text_part>(a.choices[0].content.at(0).value);
    CHECK(text.text == R"("a\"b\"")");
    CHECK(text.from == "anthropic");
    CHECK(text.citations ==
          R"([{"type":"page_location","document_index":0,"start_page_number":2,"end_page_number":3,)"
          R"("cited_text":"cited","document_title":"T"},)"
          R"({"type":"web_search_result_location","url":"https://example.com","cited_text":"","title":"W"}])");
    CHECK(validate_json(text.citations).has_value());
}

TEST_CASE("every reason to stop has its meaning", "[dialects][bedrock]") {
    CHECK(finish_of("end_turn") == finish_reason::stop);
    CHECK(finish_of("stop_sequence") == finish_reason::stop_sequence);
    CHECK(finish_of("max_tokens") == finish_reason::length);
    CHECK(finish_of("guardrail_intervened") == finish_reason::content_filter);
    CHECK(finish_of("content_filtered") == finish_reason::content_filter);
    CHECK(finish_of("malformed_tool_use") == finish_reason::malformed_call);
    CHECK(finish_of("malformed_model_output") == finish_reason::other);
    CHECK(finish_of("model_context_window_exceeded") == finish_reason::context_window);
    CHECK(finish_of("new_reason") == finish_reason::other);
}

TEST_CASE("what is no answer is the upstream's fault and quoted", "[dialects][bedrock]") {
    for (const std::string_view body :
         {"", "<html>", "[]", "{}", R"({"output":{}})", R"({"output":{"message":{"content":[]}}})",
          R"({"output":{"message":{"content":"x"}},"stopReason":"end_turn"})"}) {
        answer a;
        const auto read = bedrock::converse().read_answer(body, a);
        INFO(body);
        REQUIRE_FALSE(read.has_value());
        CHECK(read.error().kind == error_kind::upstream_protocol);
        CHECK(read.error().message.ends_with(body));
    }
}

TEST_CASE("errors of Bedrock keep their message, and their status where clients know it", "[dialects][bedrock]") {
    const auto& d = bedrock::converse();
    const error_facts slow = d.read_error(429, R"({"message":"Too many requests"})");
    CHECK(slow.status == 429);
    CHECK(slow.message == "Too many requests");
    CHECK(slow.type == "rate_limit_error");
    CHECK(d.read_error(424, R"({"message":"m","originalStatusCode":500})").status == 502);
    CHECK(d.read_error(408, R"({"message":"m"})").status == 504);
    const error_facts quota =
        d.read_error(400, R"({"__type":"com.amazon.coral#ServiceQuotaExceededException","Message":"q"})");
    CHECK(quota.status == 429);
    CHECK(quota.code == "ServiceQuotaExceededException");
    CHECK(quota.message == "q");
    CHECK(d.read_error(400, R"({"message":"Input is too long for requested model."})").code ==
          "context_length_exceeded");
    CHECK(d.read_error(503, "<html>").message == "The upstream answered with status 503: <html>");
    CHECK(d.read_error(500, "").message == "The upstream answered with status 500.");
}

TEST_CASE("what a model takes is told from its id", "[dialects][bedrock]") {
    using namespace sluice::chat::bedrock;
    CHECK(facts_of_model("anthropic.claude-3-haiku-20240307-v1:0").version == 300);
    CHECK(facts_of_model("eu.anthropic.claude-3-7-sonnet-20250219-v1:0").version == 307);
    CHECK(facts_of_model("anthropic.claude-opus-4-20250514-v1:0").version == 400);
    CHECK(facts_of_model("global.anthropic.claude-haiku-4-5-20251001-v1:0").version == 405);
    CHECK(facts_of_model("anthropic.claude-opus-4-6-v1").version == 406);
    CHECK(facts_of_model("anthropic.claude-sonnet-4-6").version == 406);
    CHECK(facts_of_model("anthropic.claude-opus-5").version == 500);
    CHECK(facts_of_model("anthropic.claude-mythos-preview").version == 408);
    CHECK(facts_of_model("arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-4-7").adaptive);
    CHECK(facts_of_model("anthropic.claude-opus-4-6-v1").budgets);
    CHECK_FALSE(facts_of_model("anthropic.claude-opus-4-7").budgets);
    CHECK(facts_of_model("arn:aws:bedrock:us-east-1:1:application-inference-profile/abc").by == model_maker::other);
}
