#include "support.hpp"

using namespace sluice;
using namespace sluice::chat;
using namespace sluice::chat::openai;
using namespace sluice::chat::openai::test;

namespace {

struct reading {
    explicit reading(std::string body) : text(std::make_unique<std::string>(std::move(body))) {
        outcome = chat_upstream().read_answer(*text, a);
    }
    std::unique_ptr<std::string> text;
    answer a;
    result<void> outcome;
};

answer& read(reading& r) {
    INFO(*r.text);
    INFO((r.outcome ? std::string{} : r.outcome.error().message));
    REQUIRE(r.outcome.has_value());
    return r.a;
}

std::string with_message(const std::string& message, const std::string& finish = R"("stop")") {
    return R"({"id":"chatcmpl-1","object":"chat.completion","created":5,"model":"m","choices":[{"index":0,"message":)" +
           message + R"(,"logprobs":null,"finish_reason":)" + finish + "}]}";
}

client_call call() {
    client_call c;
    c.model = "public";
    c.request_id = "r1";
    c.now = 7;
    return c;
}

std::string write(const answer& a) {
    std::string out;
    chat_client().write_answer(a, call(), out);
    INFO(out);
    CHECK(validate_json(out).has_value());
    return out;
}

// The message of the only choice.
std::string message_of(const std::string& body) {
    const auto begin = body.find(R"("message":)") + 10;
    return body.substr(begin, body.find(R"(,"logprobs")") - begin);
}

}  // namespace

TEST_CASE("an answer of text is read with all that stands beside it", "[dialects][openai]") {
    reading r(
        R"({"id":"chatcmpl-1","object":"chat.completion","created":5,"model":"gpt-5","choices":[{"index":0,"message":)"
        R"({"role":"assistant","content":"H\u00f6","refusal":null,"annotations":[{"type":"url_citation"}]},)"
        R"("logprobs":{"content":[]},"finish_reason":"length"}],"usage":{"prompt_tokens":19,"completion_tokens":10,)"
        R"("total_tokens":29},"service_tier":"default","system_fingerprint":null,"x":1})");
    const answer& a = read(r);
    CHECK((a.id == R"("chatcmpl-1")" && a.model == R"("gpt-5")" && a.created == 5));
    CHECK((a.service_tier == R"("default")" && a.system_fingerprint.empty()));
    CHECK((a.extras == extra_fields{{"x", "1"}}));
    REQUIRE(a.choices.size() == 1);
    const choice& c = a.choices[0];
    CHECK((c.finish == finish_reason::length && c.logprobs == R"({"content":[]})"));
    CHECK((c.content == std::vector<part>{{text_part{R"("H\u00f6")", R"([{"type":"url_citation"}])", "openai"}}}));
    CHECK((a.usage.input == 19 && a.usage.output == 10));
}

TEST_CASE("thoughts, refusals, calls, pictures and sound are read as parts", "[dialects][openai]") {
    reading r(with_message(
        R"({"role":"assistant","content":null,"reasoning_content":"hm","reasoning":"hm","refusal":"No",)"
        R"("images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},{"image_url":{"url":5}}],)"
        R"("audio":{"id":"au"},"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]})",
        R"("tool_calls")"));
    const auto& all = read(r).choices.at(0).content;
    REQUIRE(all.size() == 5);
    CHECK(std::get<reasoning_part>(all[0].value).text == R"("hm")");
    CHECK(std::get<media_part>(all[1].value).base64 == "AAAA");
    CHECK(std::get<refusal_part>(all[2].value).text == R"("No")");
    CHECK(std::get<native_part>(all[3].value).value == R"({"id":"au"})");
    CHECK(std::get<tool_call>(all[4].value).id == R"("a")");
}

TEST_CASE("what Mistral thinks in several pieces is one thought", "[dialects][openai]") {
    reading r(with_message(R"({"content":[{"type":"thinking","thinking":[{"type":"text","text":"Let "},)"
                           R"({"type":"text","text":"me"}]},{"type":"text","text":"Hi"}]})"));
    const auto& all = read(r).choices.at(0).content;
    REQUIRE(all.size() == 2);
    CHECK(std::get<reasoning_part>(all[0].value).text == R"("Let me")");
    CHECK(std::get<text_part>(all[1].value).text == R"("Hi")");
}

TEST_CASE("a call without an id gets one, and its answer says that tools are called", "[dialects][openai]") {
    reading r(with_message(R"({"content":"","tool_calls":[{"function":{"name":"f","arguments":{"x":1}}},)"
                           R"({"id":"","function":{"name":"g"}}]})"));
    const choice& c = read(r).choices.at(0);
    REQUIRE(c.content.size() == 2);
    CHECK(std::get<tool_call>(c.content[0].value).id == R"("call_chatcmpl-1_0_0")");
    CHECK(std::get<tool_call>(c.content[0].value).arguments == R"({"x":1})");
    CHECK(std::get<tool_call>(c.content[1].value).id == R"("call_chatcmpl-1_0_1")");
    CHECK(c.finish == finish_reason::tool_calls);
}

TEST_CASE("what is no chat completion is quoted", "[dialects][openai]") {
    for (const std::string body : {"", "<html>", "[]", "{}", R"({"choices":[]})", R"({"error":{"message":"x"}})",
                                   R"({"choices":[{"message":{"tool_calls":[{"id":5}]}}]})"}) {
        const reading r(body);
        INFO(body);
        REQUIRE(!r.outcome.has_value());
        CHECK(r.outcome.error().kind == error_kind::upstream_protocol);
        CHECK(r.outcome.error().message.ends_with(": " + body));
    }
}

TEST_CASE("an answer is written as OpenAI writes it", "[dialects][openai]") {
    answer a;
    choice& c = a.choices.emplace_back();
    c.content = {test::text(R"("Hi \u00f6")")};
    c.finish = finish_reason::context_window;
    a.usage.input = 12;
    a.usage.output = 3;
    a.usage.cached_input = 4;
    a.usage.cache_write = 2;
    a.usage.reasoning = 1;
    CHECK(write(a) ==
          R"({"id":"chatcmpl-r1","object":"chat.completion","created":7,"model":"public","choices":[{"index":0,)"
          R"("message":{"role":"assistant","content":"Hi \u00f6","refusal":null,"annotations":[]},"logprobs":null,)"
          R"("finish_reason":"length"}],"usage":{"prompt_tokens":12,"completion_tokens":3,"total_tokens":15,)"
          R"("prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":2,"audio_tokens":0},)"
          R"("completion_tokens_details":{"reasoning_tokens":1,"audio_tokens":0}}})");
}

TEST_CASE("thoughts of others come as blocks that a client can send back", "[dialects][openai]") {
    answer a;
    a.choices.emplace_back().content = {{make<reasoning_part>([](reasoning_part& r) {
                                            r.text = R"("hm")";
                                            r.signature = "EqQB";
                                            r.from = "anthropic";
                                        })},
                                        {make<reasoning_part>([](reasoning_part& r) {
                                            r.encrypted = "gAAA";
                                            r.from = "openai";
                                        })},
                                        {make<tool_call>([](tool_call& t) {
                                            t.id = R"("a")";
                                            t.name = R"("f")";
                                            t.arguments = R"({"x":"y"})";
                                            t.signature = "CiQB";
                                            t.signed_by = "gemini";
                                        })}};
    const std::string message = message_of(write(a));
    CHECK(
        message ==
        R"({"role":"assistant","content":null,"refusal":null,"reasoning_content":"hm","thinking_blocks":[)"
        R"({"type":"thinking","thinking":"hm","signature":"EqQB"},{"type":"redacted_thinking","data":"openai:gAAA"}],)"
        R"("tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":\"y\"}"},)"
        R"("extra_content":{"google":{"thought_signature":"CiQB"}}}],"annotations":[]})");
    // The client sends that message back: nothing of it is lost.
    request r(messages(message));
    const auto& back = test::read(r).messages.at(0).content;
    REQUIRE(back.size() == 3);
    CHECK((back[0] == a.choices[0].content[0]));
    CHECK((back[1] == a.choices[0].content[1]));
    CHECK(std::get<tool_call>(back[2].value).signature == "CiQB");
}

TEST_CASE("an answer that was written is read as the same", "[dialects][openai]") {
    const std::vector<std::vector<part>> all = {
        {test::text(R"("Hi")")},
        {{refusal_part{R"("No")"}}},
        {{make<reasoning_part>([](reasoning_part& r) {
             r.text = R"("hm")";
             r.from = "openai";
         })},
         {text_part{R"("Hi")", R"([{"type":"url_citation"}])", "openai"}},
         {make<media_part>([](media_part& m) {
             m.mime = "image/png";
             m.base64 = "AAAA";
         })},
         {make<tool_call>([](tool_call& t) {
             t.id = R"("a")";
             t.name = R"("f")";
             t.arguments = R"("{}")";
         })},
         {make<tool_call>([](tool_call& t) {
             t.what = tool_call::kind::custom;
             t.id = R"("b")";
             t.name = R"("g")";
             t.arguments = R"("free")";
         })}},
    };
    for (const std::vector<part>& content : all) {
        answer a;
        a.id = R"("x")";
        a.model = R"("m")";
        a.created = 5;
        a.service_tier = R"("flex")";
        choice& c = a.choices.emplace_back();
        c.content = content;
        c.finish = content.size() > 1 ? finish_reason::tool_calls : finish_reason::stop;
        reading r(write(a));
        const answer& b = read(r);
        CHECK((b.id == a.id && b.model == a.model && b.created == 5 && b.service_tier == a.service_tier));
        CHECK((b.choices.at(0).content == content));
        CHECK(b.choices[0].finish == c.finish);
    }
}

TEST_CASE("finish reasons become what OpenAI has", "[dialects][openai]") {
    using enum finish_reason;
    CHECK(finish_name(stop_sequence) == "stop");
    CHECK(finish_name(refusal) == "content_filter");
    CHECK(finish_name(pause) == "stop");
    CHECK((finish_of(R"("function_call")") == tool_calls));
    CHECK((finish_of(R"("model_length")") == length));
    CHECK((finish_of(R"("unheard_of")") == other));
    CHECK((finish_of("null") == none));
}

TEST_CASE("usage is counted in one way, however a server counts", "[dialects][openai]") {
    const auto deepseek =
        read_chat_usage(R"({"prompt_tokens":50,"completion_tokens":9,"total_tokens":59,"prompt_cache_hit_tokens":32,)"
                        R"("prompt_cache_miss_tokens":18,"completion_tokens_details":{"reasoning_tokens":4}})");
    CHECK((deepseek.input == 50 && deepseek.cached_input == 32 && deepseek.output == 9 && deepseek.reasoning == 4));
    const auto xai = read_chat_usage(R"({"prompt_tokens":32,"completion_tokens":9,"total_tokens":135,)"
                                     R"("completion_tokens_details":{"reasoning_tokens":94}})");
    CHECK((xai.output == 103 && xai.reasoning == 94));
    const auto moonshot = read_chat_usage(R"({"prompt_tokens":8,"completion_tokens":1,"cached_tokens":6})");
    CHECK(moonshot.cached_input == 6);
    const auto absurd = read_chat_usage(R"({"prompt_tokens":9223372036854775807,"completion_tokens":-5,)"
                                        R"("total_tokens":1.5,"completion_tokens_details":{"reasoning_tokens":1}})");
    CHECK(!absurd.reported());
    CHECK(!read_chat_usage("[]").reported());
}

TEST_CASE("errors are read in the forms that servers give them", "[dialects][openai]") {
    const auto said = [](std::string_view body) {
        const error_facts e = chat_upstream().read_error(429, body);
        CHECK(e.status == 429);
        return e.message + "|" + e.type + "|" + e.code + "|" + e.param;
    };
    CHECK(said(R"({"error":{"message":"Slow","type":"rate_limit","code":"rl","param":"n"}})") ==
          "Slow|rate_limit|rl|n");
    CHECK(said(R"({"error":{"message":"Slow","type":null,"code":429}})") == "Slow||429|");
    CHECK(said(R"({"error":"Slow"})") == "Slow|||");
    CHECK(said(R"({"object":"error","message":"Slow","type":"t"})") == "Slow|t||");
    CHECK(said(R"({"detail":"Slow"})") == "Slow|||");
    CHECK(said(" [{\"error\":{\"code\":429,\"message\":\"Slow\"}}]\n") == "Slow||429|");
    CHECK(said("") == "The upstream answered with status 429.|||");
    CHECK(said("<html>") == "The upstream answered with status 429: <html>|||");
    CHECK(said("[") == "The upstream answered with status 429: [|||");
}

TEST_CASE("an error is written as OpenAI writes it", "[dialects][openai]") {
    std::string out;
    chat_client().write_error({400, "Bad \"n\"", "invalid_request_error", "", "n"}, out);
    CHECK(out == R"({"error":{"message":"Bad \"n\"","type":"invalid_request_error","param":"n","code":null}})");
}
