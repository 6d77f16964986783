#include "support.hpp"

#include <cstdint>
#include <limits>
#include <string>

using namespace sluice;
using namespace sluice::chat;
using namespace sluice::chat::anthropic;
using namespace sluice::chat::anthropic::test;
using strings = std::vector<std::string>;

namespace {

message of(role who, std::vector<part> content) {
    return {who, std::move(content), {}, {}, {}};
}
part text(json t) {
    return {text_part{t, {}, {}}};
}
part result_of(json id, json t) {
    tool_result r;
    r.call_id = id;
    r.content.push_back(text(t));
    return {r};
}
part call_of(json id, json name, json arguments) {
    tool_call call;
    call.id = id;
    call.name = name;
    call.arguments = arguments;
    return {call};
}
conversation conversation_of(std::vector<message> messages) {
    conversation c;
    c.dialect = "openai.chat";
    c.messages = std::move(messages);
    return c;
}
// The messages of what is written, and the system prompt before them.
std::string messages_of(const conversation& c) {
    const std::string text = write(c).text;
    const std::string_view head = R"({"model":"claude-sonnet-4-5","max_tokens":8192,)";
    REQUIRE(text.starts_with(head));
    return text.substr(head.size(), text.size() - head.size() - 1);
}

}  // namespace

TEST_CASE("a conversation of another dialect becomes alternating turns with results first", "[dialects][anthropic]") {
    const conversation c =
        conversation_of({of(role::system, {text(R"("Be brief.")")}), of(role::developer, {text(R"("Be kind.")")}),
                         of(role::user, {text(R"("Hi")")}),
                         of(role::assistant, {text(R"("")"), call_of(R"("a")", R"("f")", R"("{\"x\":1}")")}),
                         of(role::assistant, {call_of(R"("b")", R"("g")", "{}")}), of(role::user, {text(R"("and?")")}),
                         of(role::user, {result_of(R"("a")", R"("1")")}),
                         of(role::user, {result_of(R"("b")", R"("2")")}), of(role::assistant, {text(R"("Done ")")})});
    CHECK(messages_of(c) ==
          R"("system":[{"type":"text","text":"Be brief."},{"type":"text","text":"Be kind."}],"messages":[)"
          R"({"role":"user","content":"Hi"},)"
          R"({"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{"x":1}},)"
          R"({"type":"tool_use","id":"b","name":"g","input":{}}]},)"
          R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"1"},)"
          R"({"type":"tool_result","tool_use_id":"b","content":"2"},{"type":"text","text":"and?"}]},)"
          R"({"role":"assistant","content":"Done "}])");
}

TEST_CASE("texts pass with their escapes, empty ones are left out", "[dialects][anthropic]") {
    conversation c =
        conversation_of({of(role::user, {text(R"("K\u00f6ln \/ \ud83d\ude00")"), text(R"("")")}),
                         of(role::assistant, {text(R"("")")}), of(role::user, {text(R"(" \n")"), text("\"b\"")})});
    const written w = write(c);
    CHECK(w.text == R"({"model":"claude-sonnet-4-5","max_tokens":8192,"messages":[{"role":"user","content":)"
                    R"([{"type":"text","text":"K\u00f6ln \/ \ud83d\ude00"},{"type":"text","text":"b"}]}]})");
    CHECK(w.dropped == strings{"messages[2].content[0]"});
}

TEST_CASE("a system message behind others is gathered in front, and that is told", "[dialects][anthropic]") {
    const conversation c = conversation_of(
        {of(role::system, {text(R"("a")")}), of(role::user, {text(R"("Hi")")}), of(role::system, {text(R"("b")")})});
    const written w = write(c);
    CHECK(w.text.find(R"("system":[{"type":"text","text":"a"},{"type":"text","text":"b"}])") != std::string::npos);
    CHECK(w.dropped == strings{"messages[2].role"});
}

TEST_CASE("images, PDFs and plain text are blocks, other media are refused", "[dialects][anthropic]") {
    const auto media = [](media_kind what, std::string_view mime, json_chars base64) {
        media_part m;
        m.what = what;
        m.mime = mime;
        m.base64 = base64;
        return part{m};
    };
    part by_url{make<media_part>([](auto& v) {
        v.what = media_kind::image;
        v.url = R"("https://example.com/a.png")";
        v.detail = R"("high")";
    })};
    part pdf = media(media_kind::document, "application/pdf", "JVBE");
    std::get<media_part>(pdf.value).name = R"("a.pdf")";
    conversation c = conversation_of({of(role::user, {media(media_kind::image, "image/jpg", "\\/9j\\/"), by_url, pdf,
                                                      media(media_kind::document, "text/csv", "YSxiCg==")})});
    const written w = write(c);
    CHECK(
        w.text.find(
            R"([{"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"\/9j\/"}},)"
            R"({"type":"image","source":{"type":"url","url":"https://example.com/a.png"}},)"
            R"({"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBE"},"title":"a.pdf"},)"
            R"({"type":"document","source":{"type":"text","media_type":"text/plain","data":"a,b\n"}}])") !=
        std::string::npos);
    CHECK(w.dropped == strings{"messages[0].content[1].detail"});

    const auto refused = [&](part p) {
        return write(conversation_of({of(role::user, {text("\"x\""), std::move(p)})})).refused;
    };
    const error audio = refused(media(media_kind::audio, "audio/wav", "AAAA"));
    CHECK(audio.kind == error_kind::bad_request);
    CHECK(audio.param == "messages[0].content[1]");
    CHECK(audio.message.find("cannot take audio") != std::string::npos);
    CHECK(refused(media(media_kind::video, "video/mp4", "AAAA")).param == "messages[0].content[1]");
    CHECK(refused(media(media_kind::image, "image/tiff", "AAAA")).param == "messages[0].content[1]");
    CHECK(refused(media(media_kind::document, "application/zip", "AAAA")).param == "messages[0].content[1]");
    CHECK(refused(media(media_kind::document, "text/plain", "A!")).message ==
          "The document messages[0].content[1] is not base64.");
    CHECK(refused({make<media_part>([](auto& v) {
              v.file_id = R"("file-1")";
              v.from = "openai";
          })}).param == "messages[0].content[1]");
}

TEST_CASE("what cannot be said is dropped where the route allows it", "[dialects][anthropic]") {
    conversation c = hello();
    c.messages[0].content.push_back({make<media_part>([](auto& v) {
        v.what = media_kind::audio;
        v.base64 = "AAAA";
        v.mime = "audio/wav";
    })});
    c.sampling.candidates = "2";
    c.sampling.logprobs = "true";
    c.format.what = response_format::kind::json_object;
    c.tools.push_back(make<tool>([](auto& v) {
        v.what = tool::kind::custom;
        v.name = R"("free")";
    }));
    CHECK(write(c).refused.param == "messages[0].content[1]");
    const written w = write(c, "claude-sonnet-4-5", true);
    CHECK(w.text == R"({"model":"claude-sonnet-4-5","max_tokens":8192,"messages":[{"role":"user","content":"Hi"}]})");
    CHECK(w.dropped == strings{"messages[0].content[1]", "n", "logprobs", "tools[0]", "response_format"});
}

TEST_CASE("options that say what the model does anyway are no loss, hints are told", "[dialects][anthropic]") {
    conversation c = hello();
    c.sampling.candidates = "1";
    c.sampling.presence_penalty = "0.0";
    c.sampling.logprobs = "false";
    c.sampling.logit_bias = "{}";
    c.modalities = R"(["text"])";
    CHECK(write(c).dropped.empty());
    c.sampling.seed = "7";
    c.metadata = R"({"a":"b"})";
    c.user = R"("u")";
    c.extras.push_back({"store", "true"});
    const written w = write(c);
    CHECK(w.dropped == strings{"seed", "metadata", "store"});
    CHECK(options_of(c) == R"("max_tokens":8192,,"metadata":{"user_id":"u"}})");
    c.sampling.frequency_penalty = "0.5";
    CHECK(write(c).refused.param == "frequency_penalty");
}

TEST_CASE("temperature is bounded, and only one of temperature and top_p is said", "[dialects][anthropic]") {
    conversation c = hello();
    c.sampling.temperature = "1.70";
    c.sampling.top_k = "40";
    CHECK(options_of(c) == R"("max_tokens":8192,,"temperature":1,"top_k":40})");
    CHECK(write(c).dropped == strings{"temperature"});
    c.sampling.temperature = "0.10";
    c.sampling.top_p = "0.9";
    CHECK(options_of(c) == R"("max_tokens":8192,,"temperature":0.10,"top_k":40})");
    CHECK(write(c).dropped == strings{"top_p"});
    c.reasoning.effort = "low";  // with thinking none of these is taken
    CHECK(write(c).dropped == strings{"temperature", "top_k", "top_p"});
    c.reasoning.effort = {};
    CHECK(write(c, "claude-opus-4-7").dropped == strings{"temperature", "top_k", "top_p"});
    c.sampling.stop = {R"("\n")", R"("END")"};
    CHECK(write(c).dropped == strings{"top_p", "stop"});
    CHECK(write(c).text.find(R"("stop_sequences":["END"])") != std::string::npos);
}

TEST_CASE("effort is a budget for older models and adaptive thinking for newer ones", "[dialects][anthropic]") {
    conversation c = hello();
    c.reasoning.effort = "high";
    CHECK(options_of(c) == R"("max_tokens":32768,,"thinking":{"type":"enabled","budget_tokens":24576}})");
    CHECK(options_of(c, "claude-opus-4-6") ==
          R"("max_tokens":32768,,"thinking":{"type":"adaptive"},"output_config":{"effort":"high"}})");
    c.sampling.tokens_max = 1000;
    CHECK(options_of(c) == R"("max_tokens":25576,,"thinking":{"type":"enabled","budget_tokens":24576}})");
    CHECK(write(c).dropped == strings{"max_tokens"});
    CHECK(options_of(c, "claude-opus-4-6") ==
          R"("max_tokens":1000,,"thinking":{"type":"adaptive"},"output_config":{"effort":"high"}})");
    c.sampling.tokens_max = 30000;
    CHECK(options_of(c) == R"("max_tokens":30000,,"thinking":{"type":"enabled","budget_tokens":24576}})");
    c.reasoning.effort = "xhigh";
    CHECK(options_of(c, "claude-opus-4-6").find(R"({"effort":"max"})") != std::string::npos);
    CHECK(options_of(c, "claude-opus-5").find(R"({"effort":"xhigh"})") != std::string::npos);
    c.reasoning.effort = "minimal";
    CHECK(options_of(c, "claude-opus-5").find(R"({"effort":"low"})") != std::string::npos);
    c.reasoning = make<reasoning_options>([](auto& v) {
        v.how = reasoning_options::mode::on;
        v.budget = 5000;
        v.show = true;
    });
    CHECK(options_of(c) == R"("max_tokens":30000,,"thinking":{"type":"enabled","budget_tokens":5000}})");
    CHECK(
        options_of(c, "claude-opus-4-8") ==
        R"("max_tokens":30000,,"thinking":{"type":"adaptive","display":"summarized"},"output_config":{"effort":"medium"}})");
    c.reasoning.show = false;
    CHECK(options_of(c).find(R"("budget_tokens":5000,"display":"omitted")") != std::string::npos);
    CHECK(options_of(c, "glm-5").find("display") == std::string::npos);
    c.reasoning.budget = std::numeric_limits<std::int64_t>::max();
    c.sampling.tokens_max = 100;
    CHECK(options_of(c).starts_with(R"("max_tokens":1073741924,)"));
    c.sampling.tokens_max = std::nullopt;
    CHECK(options_of(c).starts_with(R"("max_tokens":1073750016,)"));
    c.reasoning.budget = 10;
    CHECK(options_of(c).find(R"("budget_tokens":1024)") != std::string::npos);
}

TEST_CASE("thinking is turned off in the way the model has", "[dialects][anthropic]") {
    conversation c = hello();
    c.sampling.tokens_max = 100;
    c.reasoning.effort = "none";
    CHECK(options_of(c) == R"("max_tokens":100,})");
    CHECK(options_of(c, "claude-opus-5") == R"("max_tokens":100,,"thinking":{"type":"disabled"}})");
    CHECK(options_of(c, "claude-sonnet-5-5") == R"("max_tokens":100,,"thinking":{"type":"between_tools"}})");
    CHECK(options_of(c, "claude-opus-5-5") == R"("max_tokens":100,,"output_config":{"effort":"low"}})");
    CHECK(write(c, "claude-opus-5-5").dropped == strings{"reasoning_effort"});
    c.reasoning = make<reasoning_options>([](auto& v) { v.how = reasoning_options::mode::off; });
    CHECK(options_of(c, "claude-opus-5") == R"("max_tokens":100,,"thinking":{"type":"disabled"}})");
}

TEST_CASE("where the client set no limit, a model that thinks has room for it", "[dialects][anthropic]") {
    const conversation c = hello();
    CHECK(options_of(c, "claude-opus-4-8") == R"("max_tokens":8192,})");
    CHECK(options_of(c, "claude-opus-5") == R"("max_tokens":32768,})");
}

TEST_CASE("tools are written with a schema of an object, and only those that may be called", "[dialects][anthropic]") {
    conversation c = hello();
    c.tools.push_back(make<tool>([](auto& v) {
        v.name = R"("a")";
        v.description = R"("d")";
        v.parameters = R"({"properties":{}})";
        v.strict = "true";
    }));
    c.tools.push_back(make<tool>([](auto& v) {
        v.name = R"("b")";
        v.parameters = "{}";
        v.strict = "false";
    }));
    c.tools.push_back(make<tool>([](auto& v) { v.name = R"("c")"; }));
    CHECK(
        options_of(c) ==
        R"("max_tokens":8192,,"tools":[{"name":"a","description":"d","input_schema":{"type":"object","properties":{}},"strict":true},)"
        R"({"name":"b","input_schema":{"type":"object"}},{"name":"c","input_schema":{"type":"object","properties":{}}}]})");
    CHECK(write(c, "claude-3-7-sonnet-20250219").dropped == strings{"tools[0].strict"});
    c.choice.how = tool_choice::mode::required;
    c.choice.parallel = false;
    c.choice.allowed = {R"("b")"};
    CHECK(options_of(c) == R"("max_tokens":8192,,"tools":[{"name":"b","input_schema":{"type":"object"}}],)"
                           R"("tool_choice":{"type":"any","disable_parallel_tool_use":true}})");
    c.choice = make<tool_choice>([](auto& v) {
        v.how = tool_choice::mode::unset;
        v.parallel = false;
    });
    CHECK(options_of(c).ends_with(R"("tool_choice":{"type":"auto","disable_parallel_tool_use":true}})"));
    c.choice = make<tool_choice>([](auto& v) {
        v.how = tool_choice::mode::none;
        v.parallel = true;
    });
    CHECK(options_of(c).ends_with(R"("tool_choice":{"type":"none"}})"));
    c.choice = make<tool_choice>([](auto& v) {
        v.how = tool_choice::mode::named;
        v.name = R"("a")";
    });
    CHECK(options_of(c).ends_with(R"("tool_choice":{"type":"tool","name":"a"}})"));
}

TEST_CASE("a forced call wins over thinking, and is refused by models that take none", "[dialects][anthropic]") {
    conversation c = hello();
    c.tools.push_back(make<tool>([](auto& v) { v.name = R"("a")"; }));
    c.choice.how = tool_choice::mode::required;
    c.reasoning.effort = "high";
    const written w = write(c, "claude-opus-4-6");
    CHECK(w.dropped == strings{"reasoning_effort"});
    CHECK(w.text.find("adaptive") == std::string::npos);
    CHECK(write(c, "claude-opus-5-5").refused.param == "tool_choice");
    const written dropped = write(c, "claude-opus-5-5", true);
    CHECK(dropped.text.find(R"("tool_choice":{"type":"auto"})") != std::string::npos);
    CHECK(dropped.text.find(R"("thinking":{"type":"adaptive"})") != std::string::npos);
}

TEST_CASE("a schema for the answer is written, JSON without one is refused", "[dialects][anthropic]") {
    conversation c = hello();
    c.format = make<response_format>([](auto& v) {
        v.what = response_format::kind::json_schema;
        v.schema = R"({"type":"object"})";
        v.name = R"("n")";
    });
    CHECK(options_of(c) ==
          R"("max_tokens":8192,,"output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}}})");
    c.format = make<response_format>([](auto& v) { v.what = response_format::kind::json_object; });
    CHECK(write(c).refused.param == "response_format");
}

TEST_CASE("thinking goes back to Anthropic only with its proof", "[dialects][anthropic]") {
    const conversation c =
        conversation_of({of(role::assistant, {text(R"("a")"),
                                              {reasoning_part{R"("t")", "sig", {}, {}, false, "anthropic"}},
                                              {reasoning_part{R"("t")", {}, {}, {}, false, {}}},
                                              {reasoning_part{R"("t")", "s", {}, {}, false, "gemini"}},
                                              {reasoning_part{{}, {}, "enc", {}, false, "anthropic"}}})});
    const written w = write(c);
    CHECK(w.text.find(
              R"([{"type":"thinking","thinking":"t","signature":"sig"},{"type":"redacted_thinking","data":"enc"},)"
              R"({"type":"text","text":"a"}])") != std::string::npos);
    CHECK(w.dropped == strings{"messages[0].content[2]", "messages[0].content[3]"});
}

TEST_CASE("ids that Anthropic does not take are fitted in call and result alike", "[dialects][anthropic]") {
    const conversation c = conversation_of({of(role::assistant, {call_of(R"("call:1.x")", R"("f")", {})}),
                                            of(role::user, {result_of(R"("call:1.x")", R"("ok")")})});
    const std::string text = write(c).text;
    CHECK(text.find(R"("id":"call_1_x")") != std::string::npos);
    CHECK(text.find(R"("tool_use_id":"call_1_x")") != std::string::npos);
}

TEST_CASE("calls without ids are matched to their results by order and name", "[dialects][anthropic]") {
    tool_result first, second;
    first.name = R"("g")";
    second.name = R"("f")";
    second.structured = R"({"a":1})";
    const conversation c =
        conversation_of({of(role::assistant, {call_of({}, R"("f")", "{}"), call_of({}, R"("g")", "{}")}),
                         of(role::user, {{first}, {second}})});
    CHECK(messages_of(c) ==
          R"("messages":[{"role":"assistant","content":[{"type":"tool_use","id":"call_0_0","name":"f","input":{}},)"
          R"({"type":"tool_use","id":"call_0_1","name":"g","input":{}}]},)"
          R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"call_0_1"},)"
          R"({"type":"tool_result","tool_use_id":"call_0_0","content":"{\"a\":1}"}]}])");
    const conversation orphan = conversation_of({of(role::user, {{first}})});
    CHECK(write(orphan).refused.message == "The result messages[0].content[0] answers no call.");
}

TEST_CASE("arguments that are no object are refused", "[dialects][anthropic]") {
    const conversation c = conversation_of({of(role::assistant, {call_of(R"("a")", R"("f")", R"("{oops")")})});
    const error e = write(c).refused;
    CHECK(e.kind == error_kind::bad_request);
    CHECK(e.param == "messages[0].content[0]");
}

TEST_CASE("items of other providers are refused, names and extras are hints", "[dialects][anthropic]") {
    conversation c = hello();
    c.messages[0].name = R"("bob")";
    c.messages[0].extras.push_back({"annotations", "[]"});
    c.messages[0].content[0].extras.push_back({"x", "1"});
    CHECK(write(c).dropped == strings{"messages[0].name", "messages[0].annotations", "messages[0].content[0].x"});
    c.messages[0].content.push_back({native_part{"{}", "openai.responses", "web_search_call"}});
    CHECK(write(c).refused.param == "messages[0].content[1]");
}

TEST_CASE("service tiers are told in Anthropic's words", "[dialects][anthropic]") {
    conversation c = hello();
    c.service_tier = R"("default")";
    CHECK(options_of(c) == R"("max_tokens":8192,,"service_tier":"standard_only"})");
    c.service_tier = R"("flex")";
    CHECK(write(c).dropped == strings{"service_tier"});
}
