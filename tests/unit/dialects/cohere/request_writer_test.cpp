#include "dialects/cohere/cohere.hpp"

#include <sluice/json.hpp>

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

using namespace sluice;
using namespace sluice::chat;

namespace {

struct written {
    std::string body, problem, param;
    std::vector<std::string> dropped;
};

written write(const conversation& c, bool drop = false, std::string_view model = "command-a-03-2025") {
    written w;
    losses lost("model (cohere.chat)", drop);
    const auto done = cohere::chat().write_request(c, {model}, lost, w.body);
    if (!done) {
        w.problem = done.error().message;
        w.param = done.error().param;
    } else {
        CHECK(validate_json(w.body).has_value());
    }
    w.dropped = lost.dropped();
    return w;
}

message says(role who, json text) {
    return {who, {{text_part{text, {}, {}}}}, {}, {}, {}};
}

conversation hi() {
    conversation c;
    c.messages.push_back(says(role::user, R"("Hi")"));
    return c;
}

tool_call call_of(json id, json name, json arguments) {
    tool_call call;
    call.id = id;
    call.name = name;
    call.arguments = arguments;
    return call;
}

tool_result result_of(json id, json text) {
    tool_result r;
    r.call_id = id;
    r.content.push_back({text_part{text, {}, {}}});
    return r;
}

tool function(json name) {
    tool t;
    t.name = name;
    return t;
}

reasoning_part thought_of(json text) {
    reasoning_part r;
    r.text = text;
    return r;
}

constexpr std::string_view head = R"({"model":"command-a-03-2025","messages":[{"role":"user","content":"Hi"}])";

// What stands behind the messages.
std::string options_of(const conversation& c) {
    const written w = write(c);
    CHECK(w.problem.empty());
    REQUIRE(w.body.starts_with(head));
    return w.body.substr(head.size());
}

}  // namespace

TEST_CASE("a conversation is written in Cohere's form", "[dialects][cohere]") {
    conversation c;
    c.messages.push_back(says(role::system, R"("Be brief.")"));
    c.messages.push_back(says(role::user, R"("K\u00f6ln?\n")"));
    c.messages.push_back(says(role::assistant, R"("A city.")"));
    c.messages.push_back(says(role::developer, R"("Rules.")"));
    c.messages.push_back({role::user, {{text_part{R"("a")", {}, {}}}, {text_part{R"("b")", {}, {}}}}, {}, {}, {}});
    c.stream = true;
    const written w = write(c);
    CHECK(w.body == R"({"model":"command-a-03-2025","messages":[{"role":"system","content":"Be brief."},)"
                    R"({"role":"user","content":"K\u00f6ln?\n"},{"role":"assistant","content":"A city."},)"
                    R"({"role":"system","content":"Rules."},)"
                    R"({"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}],)"
                    R"("stream":true})");
    CHECK(w.dropped.empty());
    CHECK(cohere::chat().path({"x"}, true) == "/chat");
    CHECK(cohere::chat().framing() == stream_framing::sse);
}

TEST_CASE("results of tools are messages of their own, and thoughts before calls are their plan",
          "[dialects][cohere]") {
    conversation c = hi();
    c.messages.push_back({role::assistant,
                          {{thought_of(R"("I look.")")},
                           {call_of(R"("f_1")", R"("f")", R"({"a":"x"})")},
                           {call_of({}, R"("g")", R"("{}")")}},
                          {},
                          {},
                          {}});
    part failed{result_of(R"("f_1")", R"("boom")")};
    std::get<tool_result>(failed.value).is_error = true;
    part structured{tool_result{}};
    std::get<tool_result>(structured.value).structured = R"({"t":20})";
    c.messages.push_back({role::user, {failed, structured, {text_part{R"("And?")", {}, {}}}}, {}, {}, {}});
    const written w = write(c);
    CHECK(w.body == std::string(head.substr(0, head.size() - 1)) +
                        R"(,{"role":"assistant","tool_plan":"I look.","tool_calls":[)"
                        R"({"id":"f_1","type":"function","function":{"name":"f","arguments":"{\"a\":\"x\"}"}},)"
                        R"({"id":"call_1_2","type":"function","function":{"name":"g","arguments":"{}"}}]},)"
                        R"({"role":"tool","tool_call_id":"f_1","content":"boom"},)"
                        R"({"role":"tool","tool_call_id":"call_1_2","content":"{\"t\":20}"},)"
                        R"({"role":"user","content":"And?"}],"stream":false})");
    CHECK(w.dropped == std::vector<std::string>{"messages[2].content[0].is_error"});
}

TEST_CASE("thoughts that another provider signed are left out", "[dialects][cohere]") {
    conversation c = hi();
    reasoning_part foreign = thought_of(R"("Hm.")");
    foreign.signature = "EqQB";
    foreign.from = "anthropic";
    c.messages.push_back(
        {role::assistant, {{thought_of(R"("Mine.")")}, {foreign}, {text_part{R"("So.")", {}, {}}}}, {}, {}, {}});
    const written w = write(c);
    CHECK(w.body.find(R"({"role":"assistant","content":[{"type":"thinking","thinking":"Mine."},)"
                      R"({"type":"text","text":"So."}]})") != std::string::npos);
    CHECK(w.dropped == std::vector<std::string>{"messages[1].content[1]"});
}

TEST_CASE("images go as URLs, plain documents in their own place, other media is refused", "[dialects][cohere]") {
    conversation c;
    media_part inline_one;
    inline_one.base64 = "iVBO";
    inline_one.mime = "image/png";
    inline_one.detail = R"("low")";
    media_part by_url;
    by_url.url = R"("https://example.com/a.png")";
    media_part plain;
    plain.what = media_kind::document;
    plain.text = R"("Long text.")";
    plain.name = R"("Notes")";
    c.messages.push_back({role::user, {{inline_one}, {by_url}, {plain}, {text_part{R"("?")", {}, {}}}}, {}, {}, {}});
    c.extras = {{"documents", R"(["first"])"}};
    CHECK(write(c).body ==
          R"({"model":"command-a-03-2025","messages":[{"role":"user","content":[)"
          R"({"type":"image_url","image_url":{"url":"data:image/png;base64,iVBO","detail":"low"}},)"
          R"({"type":"image_url","image_url":{"url":"https://example.com/a.png"}},{"type":"text","text":"?"}]}],)"
          R"("documents":["first",{"data":{"title":"Notes","text":"Long text."}}],"stream":false})");
    media_part pdf;
    pdf.what = media_kind::document;
    pdf.mime = "application/pdf";
    pdf.base64 = "JVBE";
    conversation refused;
    refused.messages.push_back({role::user, {{pdf}}, {}, {}, {}});
    CHECK(write(refused).param == "messages[0].content[0]");
    CHECK(write(refused, true).dropped == std::vector<std::string>{"messages[0].content[0]"});
    conversation in_result = hi();
    tool_result r = result_of(R"("a")", R"("x")");
    r.content.push_back({by_url});
    in_result.messages.push_back({role::user, {{r}}, {}, {}, {}});
    CHECK(write(in_result).param == "messages[1].content[0]");
}

TEST_CASE("a named tool is the only one shown, and has to be called", "[dialects][cohere]") {
    conversation c = hi();
    c.tools = {function(R"("f")"), function(R"("g")")};
    c.tools[0].description = R"("Does f.")";
    c.tools[0].parameters = R"({"type":"object"})";
    const std::string f =
        R"({"type":"function","function":{"name":"f","description":"Does f.","parameters":{"type":"object"}}})";
    const std::string g =
        R"({"type":"function","function":{"name":"g","parameters":{"type":"object","properties":{}}}})";
    CHECK(options_of(c) == R"(,"tools":[)" + f + "," + g + R"(],"stream":false})");
    c.choice.how = tool_choice::mode::named;
    c.choice.name = R"("g")";
    CHECK(options_of(c) == R"(,"tools":[)" + g + R"(],"tool_choice":"REQUIRED","stream":false})");
    c.choice.how = tool_choice::mode::none;
    CHECK(options_of(c) == R"(,"tools":[)" + f + "," + g + R"(],"tool_choice":"NONE","stream":false})");
    c.choice = {};
    c.choice.how = tool_choice::mode::required;
    c.choice.allowed = {R"("f")"};
    c.choice.parallel = false;
    CHECK(options_of(c) == R"(,"tools":[)" + f + R"(],"tool_choice":"REQUIRED","stream":false})");
    CHECK(write(c).dropped == std::vector<std::string>{"parallel_tool_calls"});
    c.choice = {};
    c.tools[0].strict = "true";
    CHECK(write(c).dropped == std::vector<std::string>{"tools[0].strict"});
    c.tools[1].strict = "true";
    CHECK(options_of(c).ends_with(R"("strict_tools":true,"stream":false})"));
    c.tools[1].what = tool::kind::native;
    CHECK(write(c).param == "tools[1]");
}

TEST_CASE("options go in Cohere's names and ranges", "[dialects][cohere]") {
    conversation c = hi();
    c.sampling.tokens_max = 10;
    c.sampling.stop = {R"("x")"};
    c.sampling.temperature = "0.30";
    c.sampling.top_p = "1";
    c.sampling.top_k = "40";
    c.sampling.frequency_penalty = "0.5";
    c.sampling.seed = "7";
    c.sampling.logprobs = "true";
    c.format.what = response_format::kind::json_schema;
    c.format.schema = R"({"type":"object"})";
    CHECK(options_of(c) ==
          R"(,"response_format":{"type":"json_object","json_schema":{"type":"object"}},"max_tokens":10,)"
          R"("stop_sequences":["x"],"temperature":0.30,"p":0.99,"k":40,"frequency_penalty":0.5,"seed":7,)"
          R"("logprobs":true,"stream":false})");
    CHECK(write(c).dropped.empty());
    c = hi();
    c.sampling.presence_penalty = "-1.5";
    c.sampling.top_p = "0";
    c.service_tier = R"("flex")";
    c.user = R"("u")";
    c.extras = {{"safety_mode", R"("STRICT")"}, {"store", "true"}, {"priority", R"("high")"}};
    CHECK(options_of(c) == R"(,"p":0.01,"presence_penalty":0,"safety_mode":"STRICT","stream":false})");
    CHECK(write(c).dropped ==
          std::vector<std::string>{"user", "service_tier", "top_p", "presence_penalty", "store", "priority"});
    c = hi();
    c.sampling.candidates = "3";
    CHECK(write(c).param == "n");
    c = hi();
    c.sampling.top_logprobs = "2";
    CHECK(write(c).param == "top_logprobs");
}

TEST_CASE("effort becomes a budget of thoughts", "[dialects][cohere]") {
    conversation c = hi();
    c.reasoning.how = reasoning_options::mode::on;
    c.reasoning.effort = "medium";
    CHECK(options_of(c) == R"(,"thinking":{"type":"enabled","token_budget":8192},"stream":false})");
    c.reasoning.effort = {};
    c.reasoning.budget = -1;
    CHECK(options_of(c) == R"(,"thinking":{"type":"enabled"},"stream":false})");
    c.reasoning = {};
    c.reasoning.how = reasoning_options::mode::off;
    CHECK(options_of(c) == R"(,"stream":false})");
    CHECK(write(c, false, "command-a-reasoning-08-2025").body.find(R"("thinking":{"type":"disabled"})") !=
          std::string::npos);
}

TEST_CASE("cache markers and names of participants are reported", "[dialects][cohere]") {
    conversation c = hi();
    c.messages[0].name = R"("bob")";
    c.messages[0].content[0].cache_control = R"({"type":"ephemeral"})";
    c.cache_control = R"({"type":"ephemeral"})";
    CHECK(write(c).dropped ==
          std::vector<std::string>{"messages[0].name", "messages[0].content[0].cache_control", "cache_control"});
}
