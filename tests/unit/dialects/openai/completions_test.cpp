#include "dialects/openai/completions.hpp"

#include "dialects/openai/openai.hpp"
#include "dialects/steps.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace sluice;
using namespace sluice::chat;

namespace {

result<std::string> as_chat(const std::string& text) {
    const auto body = json_object::parse(text);
    REQUIRE(body.has_value());
    conversation c;
    if (auto read = openai::completions_client().read_request(*body, {}, c); !read) return read.error();
    losses lost("m", false);
    std::string out;
    REQUIRE(openai::chat_upstream().write_request(c, {"m"}, lost, out).has_value());
    return out;
}

client_call call() {
    client_call c;
    c.model = "m";
    c.request_id = "r";
    c.now = 7;
    c.wants_usage = true;
    return c;
}

void fill(answer& a) {
    choice& c = a.choices.emplace_back();
    c.content.push_back({text_part{R"("Hi\n")", {}, {}}});
    c.finish = finish_reason::length;
    a.usage.input = 2;
    a.usage.output = 3;
}

}  // namespace

TEST_CASE("a prompt becomes a conversation of one message", "[dialects][openai]") {
    CHECK(as_chat(R"({"model":"x","prompt":"Say \"hi\"","max_tokens":5,"temperature":0.50,"stop":"END","echo":false})")
              .value() ==
          R"({"model":"m","messages":[{"role":"user","content":"Say \"hi\""}],"max_completion_tokens":5,)"
          R"("temperature":0.50,"stop":["END"]})");
    CHECK(as_chat(R"({"prompt":["one"]})").value() == R"({"model":"m","messages":[{"role":"user","content":"one"}]})");
}

TEST_CASE("what only a completion has is refused by name", "[dialects][openai]") {
    CHECK(as_chat(R"({"prompt":["a","b"]})").error().param == "prompt");
    CHECK(as_chat(R"({"prompt":[1,2]})").error().param == "prompt");
    CHECK(as_chat(R"({"model":"m"})").error().param == "prompt");
    CHECK(as_chat(R"({"prompt":"a","suffix":"b"})").error().param == "suffix");
    CHECK(as_chat(R"({"prompt":"a","echo":true})").error().param == "echo");
    CHECK(as_chat(R"({"prompt":"a","best_of":2})").error().param == "best_of");
}

TEST_CASE("a wrong type in a completion is refused by the field's name", "[dialects][openai]") {
    const std::pair<std::string, std::string> wrong[] = {
        {R"("model":1)", "model"},
        {R"("user":[])", "user"},
        {R"("max_tokens":-1)", "max_tokens"},
        {R"("max_tokens":1.5)", "max_tokens"},
        {R"("stream":"yes")", "stream"},
        {R"("stop":[1])", "stop"},
        {R"("logit_bias":[])", "logit_bias"},
        {R"("top_p":"all")", "top_p"},
        {R"("stream_options":1)", "stream_options"},
        {R"("stream_options":{"include_usage":"x"})", "stream_options.include_usage"},
    };
    for (const auto& [member, param] : wrong) CHECK(as_chat(R"({"prompt":"a",)" + member + "}").error().param == param);
}

TEST_CASE("an answer is text, whole and streamed", "[dialects][openai]") {
    answer a;
    fill(a);
    std::string out;
    openai::completions_client().write_answer(a, call(), out);
    CHECK(out ==
          R"({"id":"cmpl-r","object":"text_completion","created":7,"model":"m","choices":[{"text":"Hi\n","index":0,)"
          R"("logprobs":null,"finish_reason":"length"}],"usage":{"prompt_tokens":2,"completion_tokens":3,)"
          R"("total_tokens":5,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},)"
          R"("completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}}})");
    std::vector<stream_step> steps;
    steps_of(a, steps);
    const auto writer = openai::completions_client().write_stream(call());
    std::string streamed;
    for (const stream_step& s : steps) writer->write(s, streamed);
    const std::string head = R"(data: {"id":"cmpl-r","object":"text_completion","created":7,"model":"m","choices":[)";
    CHECK(streamed == head + R"({"text":"Hi\n","index":0,"logprobs":null,"finish_reason":null}]})" + "\n\n" + head +
                          R"({"text":"","index":0,"logprobs":null,"finish_reason":"length"}]})" + "\n\n" + head +
                          R"(],"usage":{"prompt_tokens":2,"completion_tokens":3,"total_tokens":5,)"
                          R"("prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},)"
                          R"("completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}}})" +
                          "\n\ndata: [DONE]\n\n");
}
