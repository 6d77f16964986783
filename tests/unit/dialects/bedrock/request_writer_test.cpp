#include "dialects/bedrock/bedrock.hpp"

#include <sluice/json.hpp>

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

using namespace sluice;
using namespace sluice::chat;

namespace {

constexpr std::string_view claude = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
constexpr std::string_view opus_48 = "anthropic.claude-opus-4-8";
constexpr std::string_view nova = "amazon.nova-2-lite-v1:0";
constexpr std::string_view llama = "meta.llama3-3-70b-instruct-v1:0";

struct written {
    std::string body, problem, param;
    std::vector<std::string> dropped;
};

written write(const conversation& c, std::string_view model = claude, bool drop = false) {
    written w;
    losses lost("model (bedrock.converse)", drop);
    const auto done = bedrock::converse().write_request(c, {model}, lost, w.body);
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

conversation one(part p, role who = role::user) {
    conversation c;
    c.messages.push_back({who, {std::move(p)}, {}, {}, {}});
    return c;
}

tool_call call_of(json id, json name, json arguments) {
    tool_call call;
    call.id = id;
    call.name = name;
    call.arguments = arguments;
    return call;
}

tool_result result_of(json id, std::vector<part> content) {
    tool_result r;
    r.call_id = id;
    r.content = std::move(content);
    return r;
}

tool function(json name, json parameters = {}, json description = {}) {
    tool t;
    t.name = name;
    t.parameters = parameters;
    t.description = description;
    return t;
}

media_part media(media_kind what, std::string_view mime, json_chars base64) {
    media_part m;
    m.what = what;
    m.mime = mime;
    m.base64 = base64;
    return m;
}

// What stands behind the messages.
std::string options_of(const conversation& c, std::string_view model = claude) {
    const written w = write(c, model);
    CHECK(w.problem.empty());
    const std::string_view head = R"({"messages":[{"role":"user","content":[{"text":"Hi"}]}])";
    REQUIRE(w.body.starts_with(head));
    return w.body.substr(head.size());
}

conversation hi() {
    conversation c;
    c.messages.push_back(says(role::user, R"("Hi")"));
    return c;
}

}  // namespace

TEST_CASE("the path names the model, escaped, and says whether it streams", "[dialects][bedrock]") {
    const auto& d = bedrock::converse();
    CHECK(d.path({claude}, false) == "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse");
    CHECK(d.path({"arn:aws:bedrock:us-east-1:1:inference-profile/x"}, true) ==
          "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fx/converse-stream");
    CHECK(d.framing() == stream_framing::aws_event_stream);
    CHECK(d.name() == "bedrock.converse");
    CHECK(d.maker() == "anthropic");
}

TEST_CASE("a conversation is written in Converse's form", "[dialects][bedrock]") {
    conversation c;
    c.messages.push_back(says(role::system, R"("Be brief.")"));
    c.messages.push_back(says(role::user, R"("K\u00f6ln?\n")"));
    c.messages.push_back(says(role::assistant, R"("A city.")"));
    c.messages.push_back(says(role::user, R"("And?")"));
    c.sampling.tokens_max = 100;
    c.sampling.temperature = "0.10";
    c.sampling.stop = {R"("###")", R"("")"};
    const written w = write(c);
    CHECK(w.body ==
          R"({"messages":[{"role":"user","content":[{"text":"K\u00f6ln?\n"}]},)"
          R"({"role":"assistant","content":[{"text":"A city."}]},{"role":"user","content":[{"text":"And?"}]}],)"
          R"("system":[{"text":"Be brief."}],)"
          R"("inferenceConfig":{"maxTokens":100,"temperature":0.10,"stopSequences":["###"]}})");
    CHECK(w.dropped.empty());
}

TEST_CASE("neighbours of one role become one turn, and system messages go to the front", "[dialects][bedrock]") {
    conversation c;
    c.messages.push_back(says(role::user, R"("a")"));
    c.messages.push_back(says(role::developer, R"("rule")"));
    c.messages.push_back(says(role::user, R"("b")"));
    c.messages.push_back(says(role::assistant, R"(" \n")"));  // blank: Bedrock refuses it
    c.messages.push_back(says(role::user, R"("c")"));
    const written w = write(c);
    CHECK(w.body == R"({"messages":[{"role":"user","content":[{"text":"a"},{"text":"b"},{"text":"c"}]}],)"
                    R"("system":[{"text":"rule"}]})");
    CHECK(w.dropped == std::vector<std::string>{"messages[1].role"});
}

TEST_CASE("calls and their results are written with their ids", "[dialects][bedrock]") {
    conversation c = hi();
    c.tools.push_back(function(R"("f")"));
    c.messages.push_back({role::assistant,
                          {{call_of(R"("tooluse_1")", R"("f")", R"({"a":1})")},
                           {call_of(R"("call.2")", R"("g")", R"("{\"b\":\"x\\n\"}")")}},
                          {},
                          {},
                          {}});
    part failed{result_of(R"("tooluse_1")", {{text_part{R"("boom")", {}, {}}}})};
    std::get<tool_result>(failed.value).is_error = true;
    part structured{result_of(R"("call.2")", {})};
    std::get<tool_result>(structured.value).structured = R"({"t":20})";
    c.messages.push_back({role::user, {failed, structured}, {}, {}, {}});
    const written w = write(c);
    REQUIRE(w.problem.empty());
    CHECK(w.body ==
          R"({"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[)"
          R"({"toolUse":{"toolUseId":"tooluse_1","name":"f","input":{"a":1}}},)"
          R"({"toolUse":{"toolUseId":"call_2_958cab995d7ef6d5","name":"g","input":{"b":"x\n"}}}]},)"
          R"({"role":"user","content":[)"
          R"({"toolResult":{"toolUseId":"tooluse_1","content":[{"text":"boom"}],"status":"error"}},)"
          R"({"toolResult":{"toolUseId":"call_2_958cab995d7ef6d5","content":[{"json":{"t":20}}]}}]}],"toolConfig":)"
          R"({"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object","properties":{}}}}}]}})");
    CHECK(w.dropped.empty());
}

TEST_CASE("calls without ids get some, and results find theirs by name", "[dialects][bedrock]") {
    conversation c = hi();
    c.messages.push_back({role::assistant, {{call_of({}, R"("f")", "{}")}, {call_of({}, R"("g")", "{}")}}, {}, {}, {}});
    part g{result_of({}, {})};
    std::get<tool_result>(g.value).name = R"("g")";
    part f{result_of({}, {})};
    std::get<tool_result>(f.value).name = R"("f")";
    c.messages.push_back({role::user, {g, f}, {}, {}, {}});
    const std::string body = write(c).body;
    CHECK(body.find(R"("toolUseId":"call_1_0","name":"f")") != std::string::npos);
    CHECK(body.find(R"([{"toolResult":{"toolUseId":"call_1_1","content":[]}},)"
                    R"({"toolResult":{"toolUseId":"call_1_0","content":[]}}])") != std::string::npos);
}

TEST_CASE("a result may hold images and documents, but no sound", "[dialects][bedrock]") {
    conversation c =
        one({result_of(R"("a")", {{text_part{R"("see")", {}, {}}}, {media(media_kind::image, "image/png", "iVBO")}})});
    CHECK(write(c).body ==
          R"({"messages":[{"role":"user","content":[{"toolResult":{"toolUseId":"a","content":[{"text":"see"},)"
          R"({"image":{"format":"png","source":{"bytes":"iVBO"}}}]}}]}]})");
    c = one({result_of(R"("a")", {{media(media_kind::audio, "audio/wav", "UklG")}})});
    CHECK(write(c).param == "messages[0].content[0]");
    CHECK(write(c, claude, true).body ==
          R"({"messages":[{"role":"user","content":[{"toolResult":{"toolUseId":"a","content":[]}}]}]})");
}

TEST_CASE("arguments that are no object are refused with their place", "[dialects][bedrock]") {
    const written w = write(one({call_of(R"("a")", R"("f")", R"("[1]")")}, role::assistant));
    CHECK(w.problem.find("are not a JSON object") != std::string::npos);
    CHECK(w.param == "messages[0].content[0]");
}

TEST_CASE("media goes as bytes with Bedrock's names of formats", "[dialects][bedrock]") {
    conversation c;
    media_part pdf = media(media_kind::document, "application/pdf", "JVBE");
    pdf.name = R"("Q3_report  (final).pdf")";
    media_part plain;
    plain.what = media_kind::document;
    plain.text = R"("plain")";
    media_part stored;
    stored.what = media_kind::video;
    stored.mime = "video/mp4";
    stored.url = R"("s3://bucket/v.mp4")";
    c.messages.push_back({role::user,
                          {{media(media_kind::image, "image/jpg", "\\/9j\\/")},
                           {pdf},
                           {pdf},
                           {plain},
                           {stored},
                           {media(media_kind::audio, "audio/wav", "UklG")}},
                          {},
                          {},
                          {}});
    const written w = write(c);
    REQUIRE(w.problem.empty());
    CHECK(w.body == R"({"messages":[{"role":"user","content":[)"
                    R"({"image":{"format":"jpeg","source":{"bytes":"\/9j\/"}}},)"
                    R"({"document":{"format":"pdf","name":"Q3-report (final)-pdf","source":{"bytes":"JVBE"}}},)"
                    R"({"document":{"format":"pdf","name":"Q3-report (final)-pdf-2","source":{"bytes":"JVBE"}}},)"
                    R"({"document":{"format":"txt","name":"document","source":{"text":"plain"}}},)"
                    R"({"video":{"format":"mp4","source":{"s3Location":{"uri":"s3://bucket/v.mp4"}}}},)"
                    R"({"audio":{"format":"wav","source":{"bytes":"UklG"}}}]}]})");
}

TEST_CASE("a document keeps what Anthropic's clients say of it", "[dialects][bedrock]") {
    part p{media(media_kind::document, "application/pdf", "JVBE")};
    p.extras = {{"citations", R"({"enabled":true})"}, {"context", R"("c")"}, {"x", "1"}};
    const written w = write(one(p));
    CHECK(w.body == R"({"messages":[{"role":"user","content":[{"document":{"format":"pdf","name":"document",)"
                    R"("source":{"bytes":"JVBE"},"citations":{"enabled":true},"context":"c"}}]}]})");
    CHECK(w.dropped == std::vector<std::string>{"messages[0].content[0].x"});
}

TEST_CASE("an image by URL is refused, or left out where the route says so", "[dialects][bedrock]") {
    media_part m;
    m.url = R"("https://example.com/a.png")";
    conversation c = one({m});
    const written refused = write(c);
    CHECK(refused.problem.find("cannot take an image by URL") != std::string::npos);
    CHECK(refused.param == "messages[0].content[0]");
    const written dropped = write(c, claude, true);
    CHECK(dropped.body == R"({"messages":[]})");
    CHECK(dropped.dropped == std::vector<std::string>{"messages[0].content[0]"});
    CHECK(write(one({media(media_kind::image, "image/tiff", "AA")})).problem.find("image/tiff") != std::string::npos);
}

TEST_CASE("Claude gets its signed thoughts back, nobody else gets any", "[dialects][bedrock]") {
    reasoning_part signed_one;
    signed_one.text = R"("Hm.")";
    signed_one.signature = "EqQB";
    signed_one.from = "anthropic";
    reasoning_part redacted;
    redacted.encrypted = "b3Bh";
    redacted.from = "anthropic";
    reasoning_part foreign = signed_one;
    foreign.from = "gemini";
    reasoning_part bare;
    bare.text = R"("Hm.")";
    conversation c = hi();
    c.messages.push_back({role::assistant, {{signed_one}, {redacted}, {foreign}, {bare}}, {}, {}, {}});
    const written w = write(c);
    CHECK(w.body == R"({"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[)"
                    R"({"reasoningContent":{"reasoningText":{"text":"Hm.","signature":"EqQB"}}},)"
                    R"({"reasoningContent":{"redactedContent":"b3Bh"}}]}]})");
    CHECK(w.dropped == std::vector<std::string>{"messages[1].content[2]", "messages[1].content[3]"});
    CHECK(write(c, llama).dropped.size() == 4);
}

TEST_CASE("cache markers become cache points where the model takes them", "[dialects][bedrock]") {
    conversation c;
    c.messages.push_back(says(role::system, R"("long")"));
    c.messages[0].content[0].cache_control = R"({"type":"ephemeral","ttl":"1h"})";
    c.messages.push_back(says(role::user, R"("Hi")"));
    c.messages[1].content[0].cache_control = R"({"type":"ephemeral"})";
    c.tools.push_back(function(R"("f")"));
    c.tools[0].cache_control = R"({"type":"ephemeral"})";
    CHECK(
        write(c).body ==
        R"({"messages":[{"role":"user","content":[{"text":"Hi"},{"cachePoint":{"type":"default"}}]}],)"
        R"("system":[{"text":"long"},{"cachePoint":{"type":"default","ttl":"1h"}}],)"
        R"("toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object","properties":{}}}}},)"
        R"({"cachePoint":{"type":"default"}}]}})");
    CHECK(write(c, nova).body.find("ttl") == std::string::npos);
    const written other = write(c, llama);
    CHECK(other.body.find("cachePoint") == std::string::npos);
    CHECK(other.dropped == std::vector<std::string>{"messages[1].content[0].cache_control",
                                                    "messages[0].content[0].cache_control", "tools[0].cache_control"});
    conversation whole = hi();
    whole.cache_control = R"({"type":"ephemeral","ttl":"5m"})";
    CHECK(write(whole).body == R"({"messages":[{"role":"user","content":[{"text":"Hi"},)"
                               R"({"cachePoint":{"type":"default","ttl":"5m"}}]}]})");
}

TEST_CASE("tools and their choice", "[dialects][bedrock]") {
    conversation c = hi();
    c.tools.push_back(function(R"("f")", R"({"type":"object"})", R"("Does f.")"));
    c.tools.back().strict = "true";
    c.tools.push_back(function(R"("g")"));
    const std::string f = R"({"toolSpec":{"name":"f","description":"Does f.","inputSchema":{"json":{"type":"object"}})";
    const std::string g = R"({"toolSpec":{"name":"g","inputSchema":{"json":{"type":"object","properties":{}}}}})";
    CHECK(options_of(c) == R"(,"toolConfig":{"tools":[)" + f + R"(,"strict":true}},)" + g + "]}}");
    CHECK(options_of(c, llama) == R"(,"toolConfig":{"tools":[)" + f + "}}," + g + "]}}");
    c.choice.how = tool_choice::mode::named;
    c.choice.name = R"("g")";
    CHECK(options_of(c).ends_with(R"("toolChoice":{"tool":{"name":"g"}}}})"));
    c.choice.how = tool_choice::mode::required;
    CHECK(options_of(c).ends_with(R"("toolChoice":{"any":{}}}})"));
    c.choice.how = tool_choice::mode::automatic;
    c.choice.allowed = {R"("g")"};
    CHECK(options_of(c) == R"(,"toolConfig":{"tools":[)" + g + R"(],"toolChoice":{"auto":{}}}})");
    c.choice = {};
    c.choice.how = tool_choice::mode::none;
    CHECK(options_of(c) == "}");
    c.messages.push_back({role::assistant, {{call_of(R"("a")", R"("f")", "{}")}}, {}, {}, {}});
    CHECK(write(c).param == "tool_choice");
    c.choice = {};
    c.choice.parallel = false;
    CHECK(write(c).dropped == std::vector<std::string>{"parallel_tool_calls"});
    c.tools.back().what = tool::kind::custom;
    CHECK(write(c).param == "tools[1]");
}

TEST_CASE("calls in the history bring their tools with them", "[dialects][bedrock]") {
    conversation c = hi();
    c.messages.push_back(
        {role::assistant, {{call_of(R"("a")", R"("f")", "{}")}, {call_of(R"("b")", R"("f")", "{}")}}, {}, {}, {}});
    const written w = write(c);
    CHECK(w.body.ends_with(R"(,"toolConfig":{"tools":[{"toolSpec":{"name":"f",)"
                           R"("inputSchema":{"json":{"type":"object","properties":{}}}}}]}})"));
    CHECK(w.dropped == std::vector<std::string>{"tools"});
}

TEST_CASE("what cannot go with thinking gives way", "[dialects][bedrock]") {
    conversation c = hi();
    c.reasoning.effort = "low";
    c.sampling.temperature = "0.5";
    c.sampling.top_p = "0.9";
    c.sampling.top_k = "5";
    CHECK(options_of(c) == R"(,"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":1024}}})");
    CHECK(write(c).dropped == std::vector<std::string>{"temperature", "top_k", "top_p"});
    c.sampling = {};
    c.tools.push_back(function(R"("f")"));
    c.choice.how = tool_choice::mode::required;
    const written forced = write(c);
    CHECK(forced.body.find("thinking") == std::string::npos);
    CHECK(forced.dropped == std::vector<std::string>{"reasoning_effort"});
    CHECK(write(c, "anthropic.claude-opus-5").body.find("adaptive") != std::string::npos);
    CHECK(write(c, "anthropic.claude-opus-5-5").param == "tool_choice");
}

TEST_CASE("a schema for the answer goes as a string", "[dialects][bedrock]") {
    conversation c = hi();
    c.format.what = response_format::kind::json_schema;
    c.format.schema = R"({"type":"object"})";
    c.format.name = R"("weather")";
    CHECK(options_of(c) == R"(,"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":)"
                           R"({"schema":"{\"type\":\"object\"}","name":"weather"}}}}})");
    c.format = {};
    c.format.what = response_format::kind::text;
    CHECK(options_of(c) == "}");
    c.format.what = response_format::kind::json_object;
    CHECK(write(c).param == "response_format");
}

TEST_CASE("thinking is asked for in the words of the model's maker", "[dialects][bedrock]") {
    conversation c = hi();
    c.reasoning.how = reasoning_options::mode::on;
    c.reasoning.effort = "high";
    const auto more = [&](std::string_view model) {
        const std::string options = options_of(c, model);
        const std::string key = R"(,"additionalModelRequestFields":)";
        REQUIRE(options.starts_with(key));
        return options.substr(key.size(), options.size() - key.size() - 1);
    };
    CHECK(more(claude) == R"({"thinking":{"type":"enabled","budget_tokens":24576}})");
    CHECK(more("anthropic.claude-opus-4-6-v1") ==
          R"({"thinking":{"type":"adaptive"},"output_config":{"effort":"high"}})");
    CHECK(more(nova) == R"({"reasoningConfig":{"type":"enabled","maxReasoningEffort":"high"}})");
    CHECK(more("openai.gpt-oss-120b-1:0") == R"({"reasoning_effort":"high"})");
    CHECK(write(c, llama).dropped == std::vector<std::string>{"reasoning_effort"});
    c.reasoning.effort = {};
    c.reasoning.budget = 2000;
    CHECK(more("anthropic.claude-3-7-sonnet-20250219-v1:0") ==
          R"({"thinking":{"type":"enabled","budget_tokens":2000}})");
    CHECK(more(opus_48) == R"({"thinking":{"type":"adaptive"},"output_config":{"effort":"medium"}})");
    c.reasoning.budget = -1;
    c.reasoning.show = true;
    CHECK(more(opus_48) == R"({"thinking":{"type":"adaptive","display":"summarized"}})");
    c.reasoning = {};
    c.reasoning.how = reasoning_options::mode::off;
    CHECK(options_of(c, opus_48) == "}");
}

TEST_CASE("a budget leaves room for the answer", "[dialects][bedrock]") {
    conversation c = hi();
    c.reasoning.effort = "medium";
    c.sampling.tokens_max = 4000;
    const written cut = write(c);
    CHECK(cut.body.find(R"("budget_tokens":3999)") != std::string::npos);
    CHECK(cut.dropped == std::vector<std::string>{"reasoning_effort"});
    c.sampling.tokens_max = 1000;
    CHECK(write(c).body.find("thinking") == std::string::npos);
}

TEST_CASE("sampling goes where the model takes it", "[dialects][bedrock]") {
    conversation c = hi();
    c.sampling.temperature = "1.5";
    c.sampling.top_p = "0.9";
    c.sampling.top_k = "40";
    CHECK(options_of(c) == R"(,"inferenceConfig":{"temperature":1},"additionalModelRequestFields":{"top_k":40}})");
    CHECK(options_of(c, nova) == R"(,"inferenceConfig":{"temperature":1,"topP":0.9},)"
                                 R"("additionalModelRequestFields":{"inferenceConfig":{"topK":40}}})");
    CHECK(write(c, nova).dropped == std::vector<std::string>{"temperature"});
    CHECK(write(c, opus_48).dropped == std::vector<std::string>{"temperature", "top_p", "top_k"});
    CHECK(options_of(c, opus_48) == "}");
    c.sampling = {};
    c.sampling.presence_penalty = "0.0";
    c.sampling.candidates = "1";
    CHECK(options_of(c) == "}");
    c.sampling.presence_penalty = "0.5";
    CHECK(write(c).param == "presence_penalty");
    c.sampling = {};
    c.sampling.candidates = "2";
    CHECK(write(c).param == "n");
    c.sampling = {};
    c.sampling.logprobs = "true";
    CHECK(write(c).param == "logprobs");
    c.sampling = {};
    c.sampling.seed = "7";
    CHECK(write(c).dropped == std::vector<std::string>{"seed"});
}

TEST_CASE("tier, metadata and Converse's own fields are written, unknown ones reported", "[dialects][bedrock]") {
    conversation c = hi();
    c.service_tier = R"("flex")";
    c.metadata = R"({"team":"a-1"})";
    c.extras = {{"guardrailConfig", R"({"guardrailIdentifier":"g","guardrailVersion":"1"})"},
                {"additionalModelRequestFields", R"({"top_k":3,"x":[1]})"},
                {"performanceConfig", "1"},
                {"store", "true"}};
    c.sampling.top_k = "9";
    CHECK(options_of(c) == R"(,"additionalModelRequestFields":{"top_k":3,"x":[1]},"serviceTier":{"type":"flex"},)"
                           R"("requestMetadata":{"team":"a-1"},)"
                           R"("guardrailConfig":{"guardrailIdentifier":"g","guardrailVersion":"1"}})");
    CHECK(write(c).dropped == std::vector<std::string>{"performanceConfig", "store"});
    conversation odd = hi();
    odd.metadata = R"({"team":"\u00e9"})";
    odd.service_tier = R"("scale")";
    odd.user = R"("u")";
    CHECK(write(odd).dropped == std::vector<std::string>{"user", "service_tier", "metadata"});
}

TEST_CASE("what only another provider has a form for is refused", "[dialects][bedrock]") {
    CHECK(write(one({native_part{R"({"type":"web_search_call"})", "openai.responses", "web_search_call"}})).param ==
          "messages[0].content[0]");
    conversation c = one({text_part{R"("t")", {}, {}}});
    c.messages[0].name = R"("bob")";
    c.messages[0].content[0].extras = {{"x", "1"}};
    CHECK(write(c).dropped == std::vector<std::string>{"messages[0].name", "messages[0].content[0].x"});
}
