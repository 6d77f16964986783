#include "support.hpp"

#include <string>

using namespace sluice;
using namespace sluice::chat;
using namespace sluice::chat::anthropic;
using namespace sluice::chat::anthropic::test;

namespace {

std::string write_answer(const answer& a, const client_call& call = {}) {
    std::string out;
    messages_client().write_answer(a, call, out);
    INFO(out);
    CHECK(validate_json(out).has_value());
    return out;
}

constexpr std::string_view full =
    R"({"id":"msg_01","type":"message","role":"assistant","model":"claude-opus-4-6",)"
    R"("content":[{"type":"thinking","thinking":"Hm.","signature":"EqQB"},)"
    R"({"type":"redacted_thinking","data":"Eno="},)"
    R"({"type":"text","text":"K\u00f6ln","citations":[{"type":"char_location"}]},)"
    R"({"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{"query":"x"}},)"
    R"({"type":"tool_use","id":"toolu_1","name":"f","input":{"a":1},"caller":{"type":"direct"}}],)"
    R"("stop_reason":"tool_use","stop_sequence":null,)"
    R"("usage":{"input_tokens":10,"cache_creation_input_tokens":30,)"
    R"("cache_read_input_tokens":500,"cache_creation":{"ephemeral_5m_input_tokens":10,)"
    R"("ephemeral_1h_input_tokens":20},"output_tokens":7,)"
    R"("output_tokens_details":{"thinking_tokens":3},"service_tier":"standard"},)"
    R"("container":{"id":"c"}})";

}  // namespace

TEST_CASE("an answer is read with all its blocks and its usage", "[dialects][anthropic]") {
    answer a;
    REQUIRE(messages_upstream().read_answer(full, a).has_value());
    CHECK(a.id == R"("msg_01")");
    CHECK(a.model == R"("claude-opus-4-6")");
    CHECK(a.usage.input == 540);
    CHECK(a.usage.output == 7);
    CHECK(a.usage.cached_input == 500);
    CHECK(a.usage.cache_write == 30);
    CHECK(a.usage.cache_write_1h == 20);
    CHECK(a.usage.reasoning == 3);
    CHECK(a.service_tier == R"("standard")");
    CHECK((a.extras == extra_fields{{"container", R"({"id":"c"})"}}));
    REQUIRE(a.choices.size() == 1);
    CHECK((a.choices[0].finish == finish_reason::tool_calls));
    const auto& content = a.choices[0].content;
    REQUIRE(content.size() == 5);
    CHECK((content[0] == part{reasoning_part{R"("Hm.")", "EqQB", {}, {}, false, "anthropic"}}));
    CHECK((content[1] == part{reasoning_part{{}, {}, "Eno=", {}, false, "anthropic"}}));
    CHECK((content[2] == part{text_part{R"("K\u00f6ln")", R"([{"type":"char_location"}])", "anthropic"}}));
    CHECK(std::get<native_part>(content[3].value).type == "server_tool_use");
    CHECK(std::get<tool_call>(content[4].value).arguments == R"({"a":1})");
}

TEST_CASE("an answer of this dialect is written as it was", "[dialects][anthropic]") {
    answer a;
    REQUIRE(messages_upstream().read_answer(full, a).has_value());
    CHECK(write_answer(a) == full);
}

TEST_CASE("the reasons to stop are the same in both directions", "[dialects][anthropic]") {
    const std::pair<std::string_view, finish_reason> reasons[] = {
        {"end_turn", finish_reason::stop},
        {"max_tokens", finish_reason::length},
        {"stop_sequence", finish_reason::stop_sequence},
        {"tool_use", finish_reason::tool_calls},
        {"pause_turn", finish_reason::pause},
        {"refusal", finish_reason::refusal},
        {"model_context_window_exceeded", finish_reason::context_window},
    };
    for (const auto& [name, why] : reasons) {
        const std::string text = R"({"type":"message","content":[],"stop_reason":")" + std::string(name) + R"("})";
        answer a;
        REQUIRE(messages_upstream().read_answer(text, a).has_value());
        CHECK((a.choices[0].finish == why));
        CHECK(write_answer(a).find(R"("stop_reason":")" + std::string(name) + "\"") != std::string::npos);
        CHECK_FALSE(a.usage.reported());
    }
    answer a;
    REQUIRE(messages_upstream().read_answer(R"({"type":"message","content":[],"stop_reason":"new"})", a).has_value());
    CHECK((a.choices[0].finish == finish_reason::other));
}

TEST_CASE("an answer of another dialect has the shape that clients of this one expect", "[dialects][anthropic]") {
    answer a;
    choice& one = a.choices.emplace_back();
    one.finish = finish_reason::stop;
    one.content.push_back({reasoning_part{R"("t")", {}, "gAAA", R"("rs_1")", true, "openai"}});
    one.content.push_back({reasoning_part{{}, {}, "gBBB", R"("rs_2")", false, "openai"}});
    one.content.push_back({refusal_part{R"("No.")"}});
    one.content.push_back({make<tool_call>([](auto& v) {
        v.name = R"("f")";
        v.arguments = R"("{\"a\":1}")";
    })});
    one.content.push_back({native_part{"{}", "openai.responses", "x"}});
    one.content.push_back({make<tool_call>([](auto& v) {
        v.id = R"("call_1")";
        v.name = R"("g")";
        v.arguments = R"("{oops")";
    })});
    a.usage.input = 12;
    a.usage.output = 3;
    a.usage.cached_input = 4;
    client_call call;
    call.model = "public";
    call.request_id = "01-ab";
    CHECK(write_answer(a, call) ==
          R"({"id":"msg_01-ab","type":"message","role":"assistant","model":"public","content":[)"
          R"({"type":"thinking","thinking":"t","signature":"openai:rs_1:gAAA"},)"
          R"({"type":"redacted_thinking","data":"openai:rs_2:gBBB"},{"type":"text","text":"No."},)"
          R"({"type":"tool_use","id":"toolu_01-ab_3","name":"f","input":{"a":1}},)"
          R"({"type":"tool_use","id":"call_1","name":"g","input":{"malformed_arguments":"{oops"}}],)"
          R"("stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":8,)"
          R"("cache_creation_input_tokens":0,"cache_read_input_tokens":4,"cache_creation":)"
          R"({"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":3,"service_tier":null}})");
}

TEST_CASE("the signature of another provider on a call stands behind it in an answer too", "[dialects][anthropic]") {
    answer a;
    a.choices.emplace_back().content.push_back({make<tool_call>([](auto& v) {
        v.id = R"("a")";
        v.name = R"("f")";
        v.signature = "CsQ=";
        v.signed_by = "gemini";
    })});
    CHECK(write_answer(a).find(R"([{"type":"tool_use","id":"a","name":"f","input":{}},)"
                               R"({"type":"redacted_thinking","data":"gemini:call:CsQ="}])") != std::string::npos);
}

TEST_CASE("an answer without choices is an empty message", "[dialects][anthropic]") {
    const std::string text = write_answer({});
    CHECK(text.find(R"("content":[],"stop_reason":null)") != std::string::npos);
}

TEST_CASE("what is no message is the upstream's fault, and quoted", "[dialects][anthropic]") {
    for (const std::string_view body :
         {"", "<html>", "[]", "{}", R"({"type":"error","error":{}})", R"({"type":"message","content":"x"})",
          R"({"type":"message","content":[1]})", R"({"type":"message","content":[{"text":"x"}]})"}) {
        INFO(body);
        answer a;
        const auto done = messages_upstream().read_answer(body, a);
        REQUIRE_FALSE(done.has_value());
        CHECK(done.error().kind == error_kind::upstream_protocol);
        CHECK(done.error().message.find(body) != std::string::npos);
    }
}

TEST_CASE("counts that no model can have do not overflow", "[dialects][anthropic]") {
    const std::string text = R"({"type":"message","content":[],"usage":{"input_tokens":9223372036854775807,
        "cache_read_input_tokens":9223372036854775807,"cache_creation_input_tokens":-5,"output_tokens":"x"}})";
    answer a;
    REQUIRE(messages_upstream().read_answer(text, a).has_value());
    CHECK(a.usage.input > 0);
    CHECK(a.usage.cache_write == -1);
    CHECK(a.usage.output == -1);
    write_answer(a);
}

// --- errors ------------------------------------------------------------------------------------------------------

TEST_CASE("errors are written in Anthropic's types, whatever the provider calls them", "[dialects][anthropic]") {
    const auto written = [](int status, std::string type, std::string code = {}) {
        std::string out;
        messages_client().write_error({status, "m", std::move(type), std::move(code), {}}, out);
        return out;
    };
    CHECK(written(400, "invalid_request_error") ==
          R"({"type":"error","error":{"type":"invalid_request_error","message":"m"}})");
    const std::pair<int, std::string_view> by_status[] = {
        {400, "invalid_request_error"}, {401, "authentication_error"},
        {402, "billing_error"},         {403, "permission_error"},
        {404, "not_found_error"},       {413, "request_too_large"},
        {429, "rate_limit_error"},      {500, "api_error"},
        {504, "timeout_error"},         {529, "overloaded_error"},
        {503, "overloaded_error"},      {502, "api_error"},
        {422, "invalid_request_error"},
    };
    for (const auto& [status, type] : by_status)
        CHECK(written(status, "").find("\"" + std::string(type) + "\"") != std::string::npos);
    CHECK(written(429, "insufficient_quota").find("rate_limit_error") != std::string::npos);
    CHECK(written(500, "server_error").find("api_error") != std::string::npos);
    CHECK(written(400, "RESOURCE_EXHAUSTED").find("rate_limit_error") != std::string::npos);
    CHECK(written(400, "invalid_request_error", "context_length_exceeded").find(R"("prompt is too long: m")") !=
          std::string::npos);
}

TEST_CASE("errors of Anthropic, Bedrock and Vertex are read", "[dialects][anthropic]") {
    const upstream_dialect& up = messages_upstream();
    const error_facts own = up.read_error(
        529, R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"})");
    CHECK(own.status == 529);
    CHECK(own.type == "overloaded_error");
    CHECK(own.message == "Overloaded");
    const error_facts bedrock = up.read_error(429, R"({"message":"Too many requests"})");
    CHECK(bedrock.type == "rate_limit_error");
    CHECK(bedrock.message == "Too many requests");
    const error_facts vertex =
        up.read_error(400, R"([{"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT"}}])");
    CHECK(vertex.type == "INVALID_ARGUMENT");
    CHECK(vertex.message == "bad");
    CHECK(vertex.code.empty());
    const error_facts length = up.read_error(
        400, R"({"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 > 8"}})");
    CHECK(length.code == "context_length_exceeded");
    const error_facts html = up.read_error(502, std::string(5000, '<'));
    CHECK(html.message.size() == 1024);
    CHECK(html.type == "api_error");
    CHECK(up.read_error(500, "").type == "api_error");
}
