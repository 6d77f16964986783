#include "dialects/responses/responses.hpp"

#include <sluice/json.hpp>

#include <catch2/catch.hpp>

#include <string>
#include <string_view>

using namespace sluice;
using namespace sluice::chat;

namespace {

constexpr std::string_view whole =
    R"({"id":"resp_67cc","object":"response","created_at":1741476777.5,"status":"completed",
  "background":false,"error":null,"incomplete_details":null,"instructions":null,"max_output_tokens":null,"model":"gpt-5-2025",
  "output":[
    {"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"Look."}],"encrypted_content":"gAAA"},
    {"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text",
      "annotations":[{"type":"url_citation","url":"https://x","start_index":0,"end_index":2,"title":"t"}],
      "logprobs":[{"token":"H","logprob":-0.1,"bytes":[72],"top_logprobs":[]}],"text":"H\u00e9"}]},
    {"id":"fc_1","type":"function_call","status":"completed","arguments":"{\"a\":1}","call_id":"call_1","name":"f"}],
  "parallel_tool_calls":true,"service_tier":"default","usage":{"input_tokens":100,"input_tokens_details":{"cached_tokens":60,"cache_write_tokens":0},
  "output_tokens":30,"output_tokens_details":{"reasoning_tokens":20},"total_tokens":130},"metadata":{}})";

answer read(std::string_view body) {
    answer a;
    const auto done = responses::responses_upstream().read_answer(body, a);
    REQUIRE(done.has_value());
    REQUIRE(a.choices.size() == 1);
    return a;
}

std::string write(const answer& a) {
    client_call call;
    call.model = "public";
    call.now = 1700000000;
    call.request_id = "req-1/\"x";
    std::string out;
    responses::responses_client().write_answer(a, call, out);
    CHECK(validate_json(out).has_value());
    return out;
}

error refused(std::string_view body) {
    answer a;
    const auto done = responses::responses_upstream().read_answer(body, a);
    REQUIRE_FALSE(done.has_value());
    CHECK(done.error().kind == error_kind::upstream_protocol);
    return done.error();
}

std::string output_of(const std::string& response) {
    const auto o = json_object::parse(response);
    REQUIRE(o.has_value());
    return std::string(o->find("output")->raw);
}

}  // namespace

TEST_CASE("a response is read whole: thoughts, text, calls and what they cost", "[dialects][responses]") {
    const answer a = read(whole);
    CHECK(a.id == R"("resp_67cc")");
    CHECK(a.model == R"("gpt-5-2025")");
    CHECK(a.created == 1741476777);
    CHECK(a.service_tier == R"("default")");
    CHECK((a.choices[0].finish == finish_reason::tool_calls));
    CHECK(a.choices[0].logprobs ==
          R"({"content":[{"token":"H","logprob":-0.1,"bytes":[72],"top_logprobs":[]}],"refusal":null})");
    token_usage u;
    u.input = 100;
    u.cached_input = 60;
    u.cache_write = 0;
    u.output = 30;
    u.reasoning = 20;
    CHECK((a.usage == u));
    const auto& content = a.choices[0].content;
    REQUIRE(content.size() == 3);
    const auto& r = std::get<reasoning_part>(content[0].value);
    CHECK(r.encrypted == "gAAA");
    CHECK(r.summary);
    const auto& t = std::get<text_part>(content[1].value);
    CHECK(t.text == R"("H\u00e9")");
    CHECK(t.from == "openai");
    CHECK(content[1].extras.empty());
    CHECK(std::get<tool_call>(content[2].value).item_id == R"("fc_1")");
}

TEST_CASE("what is written of a response reads as the same answer", "[dialects][responses]") {
    const answer first = read(whole);
    const std::string text = write(first);
    const answer second = read(text);
    CHECK(first.id == second.id);
    CHECK(first.model == second.model);
    CHECK(first.created == second.created);
    CHECK((first.choices[0].content == second.choices[0].content));
    CHECK((first.choices[0].finish == second.choices[0].finish));
    CHECK(first.choices[0].logprobs == second.choices[0].logprobs);
    CHECK((first.usage == second.usage));
}

TEST_CASE("an answer of another family is a whole response", "[dialects][responses]") {
    answer a;
    choice& c = a.choices.emplace_back();
    c.finish = finish_reason::tool_calls;
    reasoning_part thinking;
    thinking.text = R"("Hm.")";
    thinking.signature = "SIG";
    thinking.from = "anthropic";
    reasoning_part redacted;
    redacted.encrypted = "RED";
    redacted.from = "anthropic";
    tool_call call;
    call.id = R"("toolu_1")";
    call.name = R"("f")";
    call.arguments = R"({"a":"b"})";
    call.signature = "U0lH";
    call.signed_by = "gemini";
    media_part picture;
    picture.base64 = "AAAA";
    picture.mime = "image/jpeg";
    c.content = {{thinking}, {redacted}, {text_part{R"("One.")", {}, {}}}, {text_part{R"("Two.")", {}, {}}},
                 {call},     {picture}};
    a.usage.input = 5;
    a.usage.output = 7;
    CHECK(
        write(a) ==
        R"({"id":"resp_req-1x","object":"response","created_at":1700000000,"status":"completed","background":false,)"
        R"("error":null,"incomplete_details":null,"instructions":null,"max_output_tokens":null,"max_tool_calls":null,)"
        R"("model":"public","output":[)"
        R"({"type":"reasoning","id":"rs_req-1x_0","summary":[{"type":"summary_text","text":"Hm."}],"encrypted_content":"anthropic:SIG"},)"
        R"({"type":"reasoning","id":"rs_req-1x_1","summary":[],"encrypted_content":"anthropic:RED"},)"
        R"({"type":"message","id":"msg_req-1x_2","status":"completed","role":"assistant","content":[)"
        R"({"type":"output_text","annotations":[],"logprobs":[],"text":"One."},{"type":"output_text","annotations":[],"logprobs":[],"text":"Two."}]},)"
        R"({"type":"function_call","id":"fc_req-1x_3","status":"completed","call_id":"toolu_1","name":"f","arguments":"{\"a\":\"b\"}"},)"
        R"({"type":"reasoning","id":"rs_req-1x_4","summary":[],"encrypted_content":"gemini:call:U0lH:toolu_1"},)"
        R"({"type":"image_generation_call","id":"ig_req-1x_5","status":"completed","result":"AAAA","output_format":"jpeg"}],)"
        R"("parallel_tool_calls":true,"previous_response_id":null,"prompt_cache_key":null,"reasoning":{"effort":null,"summary":null},)"
        R"("safety_identifier":null,"service_tier":null,"store":false,"temperature":null,"text":{"format":{"type":"text"}},)"
        R"("tool_choice":"auto","tools":[],"top_logprobs":0,"top_p":null,"truncation":"disabled",)"
        R"("usage":{"input_tokens":5,"input_tokens_details":{"cached_tokens":0,"cache_write_tokens":0},"output_tokens":7,)"
        R"("output_tokens_details":{"reasoning_tokens":0},"total_tokens":12},"user":null,"metadata":{}})");
}

TEST_CASE("what a client hands back of a foreign answer has its signatures again", "[dialects][responses]") {
    answer a;
    choice& c = a.choices.emplace_back();
    reasoning_part unseen;  // a signature of a text that is empty is still one
    unseen.text = R"("")";
    unseen.signature = "S0";
    unseen.from = "anthropic";
    reasoning_part redacted;
    redacted.encrypted = "RED";
    redacted.from = "anthropic";
    tool_call call;
    call.id = R"("toolu_1")";
    call.name = R"("f")";
    call.arguments = R"("")";
    call.signature = "U0lH";
    call.signed_by = "gemini";
    c.content = {{unseen}, {redacted}, {call}};
    const std::string body = R"({"input":)" + output_of(write(a)) + "}";
    const auto o = json_object::parse(body);
    REQUIRE(o.has_value());
    conversation back;
    REQUIRE(responses::read_request(*o, back).has_value());
    REQUIRE(back.messages.size() == 1);
    const auto& parts = back.messages[0].content;
    REQUIRE(parts.size() == 3);
    CHECK(std::get<reasoning_part>(parts[0].value).signature == "S0");
    CHECK(std::get<reasoning_part>(parts[0].value).text == R"("")");
    CHECK(std::get<reasoning_part>(parts[1].value).encrypted == "RED");
    CHECK(std::get<tool_call>(parts[2].value).signature == "U0lH");
    CHECK(std::get<tool_call>(parts[2].value).arguments == R"("{}")");
}

TEST_CASE("why an answer ended is said in both directions", "[dialects][responses]") {
    struct row {
        const char* body;
        finish_reason why;
    };
    const row rows[] = {
        {R"({"status":"completed","output":[]})", finish_reason::stop},
        {R"({"output":[]})", finish_reason::stop},
        {R"({"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[]})",
         finish_reason::length},
        {R"({"status":"incomplete","incomplete_details":{"reason":"content_filter"},"output":[]})",
         finish_reason::content_filter},
        {R"({"status":"incomplete","incomplete_details":{"reason":"steered"},"output":[]})", finish_reason::other},
    };
    for (const row& r : rows) {
        INFO(r.body);
        CHECK((read(r.body).choices[0].finish == r.why));
    }
    const auto written = [](finish_reason why) {
        answer a;
        a.choices.emplace_back().finish = why;
        a.choices[0].content = {{text_part{R"("x")", {}, {}}}};
        return write(a);
    };
    CHECK_THAT(written(finish_reason::length),
               Catch::Contains(R"("status":"incomplete")") &&
                   Catch::Contains(R"("incomplete_details":{"reason":"max_output_tokens"})") &&
                   Catch::Contains(R"("status":"incomplete","role":"assistant")"));
    CHECK_THAT(written(finish_reason::content_filter), Catch::Contains(R"({"reason":"content_filter"})"));
    CHECK_THAT(written(finish_reason::stop_sequence), Catch::Contains(R"("incomplete_details":null)"));
}

TEST_CASE("what is no finished response is the upstream's fault, and quoted", "[dialects][responses]") {
    CHECK_THAT(refused("<html>oops").message, Catch::Contains("<html>oops"));
    refused("");
    refused("[]");
    refused(R"({"object":"response"})");
    refused(R"({"status":"queued","output":[]})");
    refused(R"({"output":[{"type":"function_call","name":"f"}]})");
    refused(R"({"output":[{"type":"message","role":"assistant","content":[{"type":"output_text"}]}]})");
    CHECK_THAT(refused(R"({"status":"failed","error":{"code":"server_error","message":"boom"},"output":[]})").message,
               Catch::Contains("boom"));
}

TEST_CASE("errors have OpenAI's form, and are read in the forms that its imitators use", "[dialects][responses]") {
    error_facts e;
    e.message = "No \"x\".";
    e.type = "invalid_request_error";
    e.param = "input[0]";
    std::string out;
    responses::responses_client().write_error(e, out);
    CHECK(out == R"({"error":{"message":"No \"x\".","type":"invalid_request_error","param":"input[0]","code":null}})");
    const auto& upstream = responses::responses_upstream();
    const error_facts back = upstream.read_error(400, out);
    CHECK(back.status == 400);
    CHECK(back.message == "No \"x\".");
    CHECK(back.param == "input[0]");
    CHECK(back.code.empty());
    CHECK(upstream.read_error(500, R"({"error":"plain"})").message == "plain");
    CHECK(upstream.read_error(429, R"({"message":"slow","code":429})").code == "429");
    CHECK_THAT(upstream.read_error(502, "<html>").message, Catch::Contains("502") && Catch::Contains("<html>"));
    CHECK(upstream.read_error(500, std::string(5000, 'x')).message.size() < 1024);
}
