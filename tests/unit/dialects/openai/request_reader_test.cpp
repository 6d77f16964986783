#include "support.hpp"

using namespace sluice;
using namespace sluice::chat;
using namespace sluice::chat::openai;
using namespace sluice::chat::openai::test;

namespace {

template <class T>
const T& as(const part& p) {
    const T* value = std::get_if<T>(&p.value);
    REQUIRE(value != nullptr);
    return *value;
}

// Why a request is refused: "param: message".
std::string refusal(const std::string& text) {
    const request r(text);
    INFO(text);
    CHECK(!r.outcome.has_value());
    if (r.outcome) return {};
    CHECK(r.outcome.error().kind == error_kind::bad_request);
    return r.outcome.error().param + ": " + r.outcome.error().message;
}

std::string with(const std::string& member) {
    return R"({"model":"m","messages":[],)" + member + "}";
}

// A message of a user with one part.
std::string one(const std::string& part) {
    return messages(R"({"role":"user","content":[)" + part + "]}");
}

}  // namespace

TEST_CASE("messages keep their roles, names and texts", "[dialects][openai]") {
    request r(
        messages(R"({"role":"system","content":"Be \u0062rief"},{"role":"developer","content":"Go"},)"
                 R"({"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}],"name":"Ann"},)"
                 R"({"role":"assistant","content":"Hi","refusal":null,"audio":null})"));
    const conversation& c = read(r);
    CHECK(c.dialect == "openai.chat");
    CHECK(c.model == R"("m")");
    REQUIRE(c.messages.size() == 4);
    CHECK((c.messages[0] == message{role::system, {text(R"("Be \u0062rief")")}, {}, {}, {}}));
    CHECK((c.messages[1] == message{role::developer, {text(R"("Go")")}, {}, {}, {}}));
    CHECK((c.messages[2] == message{role::user, {text(R"("a")"), text(R"("b")")}, R"("Ann")", {}, {}}));
    CHECK((c.messages[3] == assistant({text(R"("Hi")")})));
}

TEST_CASE("pictures, sounds and files are taken out of their parts", "[dialects][openai]") {
    request r(one(R"({"type":"image_url","image_url":{"url":"data:image\/png;base64,AAAA","detail":"low"}},)"
                  R"({"type":"image_url","image_url":"https://x/y.png"},)"
                  R"({"type":"input_audio","input_audio":{"data":"BBBB","format":"mp3"}},)"
                  R"({"type":"file","file":{"file_data":"data:application/pdf;base64,CCCC","filename":"a.pdf"}},)"
                  R"({"type":"file","file":{"file_data":"DDDD"}},{"type":"file","file":{"file_id":"file-1"}},)"
                  R"({"type":"video_url","video_url":{"url":"https://x/v.mp4"}})"));
    const auto& parts = read(r).messages.at(0).content;
    REQUIRE(parts.size() == 7);
    const auto& png = as<media_part>(parts[0]);
    CHECK((png.mime == "image/png" && png.base64 == "AAAA" && png.detail == R"("low")"));
    CHECK(as<media_part>(parts[1]).url == R"("https://x/y.png")");
    const auto& mp3 = as<media_part>(parts[2]);
    CHECK((mp3.what == media_kind::audio && mp3.mime == "audio/mpeg" && mp3.base64 == "BBBB"));
    const auto& pdf = as<media_part>(parts[3]);
    CHECK((pdf.what == media_kind::document && pdf.mime == "application/pdf" && pdf.name == R"("a.pdf")"));
    CHECK(as<media_part>(parts[4]).mime == "application/pdf");
    const auto& stored = as<media_part>(parts[5]);
    CHECK((stored.file_id == R"("file-1")" && stored.from == "openai"));
    CHECK(as<media_part>(parts[6]).what == media_kind::video);
}

TEST_CASE("calls and their results are parts, free text as such", "[dialects][openai]") {
    request r(messages(R"({"role":"assistant","content":null,"tool_calls":[)"
                       R"({"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"},)"
                       R"("extra_content":{"google":{"thought_signature":"CiQB"}}},)"
                       R"({"id":"b","type":"custom","custom":{"name":"sql","input":"select 1"},"function":null}]},)"
                       R"({"role":"tool","tool_call_id":"a","name":"f","content":"one"},)"
                       R"({"role":"tool","tool_call_id":"b","content":[{"type":"text","text":"two"}]})"));
    const conversation& c = read(r);
    REQUIRE(c.messages.size() == 3);
    const auto& f = as<tool_call>(c.messages[0].content.at(0));
    CHECK((f.id == R"("a")" && f.name == R"("f")" && f.arguments == R"("{\"x\":1}")"));
    CHECK((f.signature == "CiQB" && f.signed_by == "gemini"));
    const auto& sql = as<tool_call>(c.messages[0].content.at(1));
    CHECK((sql.what == tool_call::kind::custom && sql.arguments == R"("select 1")"));
    CHECK(c.messages[1].who == role::user);
    const auto& one = as<tool_result>(c.messages[1].content.at(0));
    CHECK((one.call_id == R"("a")" && one.name == R"("f")" && one.content.size() == 1));
    CHECK(one.what == tool_call::kind::function);
    CHECK(as<tool_result>(c.messages[2].content.at(0)).what == tool_call::kind::custom);
}

TEST_CASE("thoughts are read in the forms that clients send back", "[dialects][openai]") {
    request r(messages(
        R"({"role":"assistant","content":"x","reasoning_content":"hm"},)"
        R"({"role":"assistant","content":"x","reasoning_content":"hm","thinking_blocks":[)"
        R"({"type":"thinking","thinking":"hm","signature":"EqQB"},{"type":"redacted_thinking","data":"gemini:Ci"}]},)"
        R"({"role":"assistant","content":"x","reasoning":"hm","thinking_blocks":[]})"));
    const conversation& c = read(r);
    const auto& plain = as<reasoning_part>(c.messages[0].content.at(0));
    CHECK((plain.text == R"("hm")" && plain.from == "openai" && plain.signature.empty()));
    REQUIRE(c.messages[1].content.size() == 3);
    const auto& block = as<reasoning_part>(c.messages[1].content[0]);
    CHECK((block.text == R"("hm")" && block.signature == "EqQB" && block.from == "anthropic"));
    const auto& hidden = as<reasoning_part>(c.messages[1].content[1]);
    CHECK((hidden.text.empty() && hidden.encrypted == "Ci" && hidden.from == "gemini"));
    CHECK(as<reasoning_part>(c.messages[2].content.at(0)).text == R"("hm")");
}

TEST_CASE("cache markers stand behind the part they mark", "[dialects][openai]") {
    const std::string marker = R"({"type":"ephemeral"})";
    request r(
        R"({"messages":[{"role":"system","content":"a","cache_control":)" + marker +
        R"(},{"role":"user","content":[{"type":"text","text":"b","cache_control":)" + marker +
        R"(},{"type":"text","text":"c"}]}],"tools":[{"type":"function","function":{"name":"f"},"cache_control":)" +
        marker + R"(},{"type":"function","function":{"name":"g","cache_control":)" + marker + "}}]}");
    const conversation& c = read(r);
    CHECK(c.messages[0].content[0].cache_control == marker);
    CHECK(c.messages[1].content[0].cache_control == marker);
    CHECK(c.messages[1].content[1].cache_control.empty());
    CHECK(c.tools.at(0).cache_control == marker);
    CHECK(c.tools.at(1).cache_control == marker);
}

TEST_CASE("tools of every kind and every choice among them are read", "[dialects][openai]") {
    request r(
        with(R"("tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"},)"
             R"("strict":true,"x":1},"y":2},{"type":"custom","custom":{"name":"g","format":{"type":"text"}}},)"
             R"({"type":"web_search"}],"parallel_tool_calls":false)"));
    const conversation& c = read(r);
    REQUIRE(c.tools.size() == 3);
    CHECK((c.tools[0].name == R"("f")" && c.tools[0].description == R"("d")" && c.tools[0].strict == "true"));
    CHECK(c.tools[0].parameters == R"({"type":"object"})");
    CHECK((c.tools[0].extras == extra_fields{{"x", "1"}, {"y", "2"}}));
    CHECK((c.tools[1].what == tool::kind::custom && c.tools[1].parameters == R"({"type":"text"})"));
    CHECK((c.tools[2].what == tool::kind::native && c.tools[2].definition == R"({"type":"web_search"})"));
    CHECK(c.choice.parallel == false);

    using mode = tool_choice::mode;
    const auto choice = [](const std::string& text) {
        request q(with(R"("tool_choice":)" + text));
        const tool_choice& t = read(q).choice;
        std::string all = std::to_string(static_cast<int>(t.how)) + " " + std::string(t.name);
        for (const json name : t.allowed) all += " " + std::string(name);
        return all;
    };
    const auto is = [](mode m) { return std::to_string(static_cast<int>(m)) + " "; };
    CHECK(choice(R"("auto")") == is(mode::automatic));
    CHECK(choice(R"("none")") == is(mode::none));
    CHECK(choice(R"("required")") == is(mode::required));
    CHECK(choice(R"({"type":"function","function":{"name":"f"}})") == is(mode::named) + R"("f")");
    CHECK(choice(R"({"type":"custom","custom":{"name":"g"}})") == is(mode::named) + R"("g")");
    CHECK(choice(R"({"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[)"
                 R"({"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"g"}}]}})") ==
          is(mode::required) + R"( "f" "g")");
}

TEST_CASE("options keep the text of their numbers", "[dialects][openai]") {
    request r(with(
        R"("temperature":0.70,"top_p":1e-1,"top_k":40,"min_p":0.1,"presence_penalty":-1,"frequency_penalty":2,)"
        R"("repetition_penalty":1.10,"seed":7,"logprobs":true,"top_logprobs":3,"logit_bias":{"50256":-100},"n":2,)"
        R"("stop":["a","b"],"max_tokens":5,"max_completion_tokens":9,"user":"u","metadata":{"k":"v"},)"
        R"("service_tier":"flex","prompt_cache_key":"p","verbosity":"low","modalities":["text"],"audio":{"voice":"v"},)"
        R"("stream":true,"stream_options":{"include_usage":true},"store":false,"unheard_of":[1],"seed2":null)"));
    const conversation& c = read(r);
    const sampling_options& s = c.sampling;
    CHECK((s.temperature == "0.70" && s.top_p == "1e-1" && s.top_k == "40" && s.min_p == "0.1"));
    CHECK((s.presence_penalty == "-1" && s.frequency_penalty == "2" && s.repetition_penalty == "1.10"));
    CHECK((s.seed == "7" && s.logprobs == "true" && s.top_logprobs == "3" && s.candidates == "2"));
    CHECK((s.logit_bias == R"({"50256":-100})" && s.stop == std::vector<json>{R"("a")", R"("b")"}));
    CHECK(s.tokens_max == 9);
    CHECK((c.user == R"("u")" && c.metadata == R"({"k":"v"})" && c.service_tier == R"("flex")"));
    CHECK((c.prompt_cache_key == R"("p")" && c.verbosity == R"("low")" && c.modalities == R"(["text"])"));
    CHECK((c.audio == R"({"voice":"v"})" && c.stream && c.stream_usage));
    CHECK((c.extras == extra_fields{{"store", "false"}, {"unheard_of", "[1]"}}));
}

TEST_CASE("effort and budget are read in three spellings", "[dialects][openai]") {
    const auto options = [](const std::string& member) {
        request r(with(member));
        const reasoning_options o = read(r).reasoning;
        return std::to_string(static_cast<int>(o.how)) + " " + std::string(o.effort) + " " +
               std::to_string(o.budget.value_or(0)) + (o.show == false ? " hidden" : "");
    };
    CHECK(options(R"("reasoning_effort":"high")") == "2 high 0");
    CHECK(options(R"("reasoning_effort":"none")") == "1 none 0");
    CHECK(options(R"("thinking":{"type":"enabled","budget_tokens":2048})") == "2  2048");
    CHECK(options(R"("thinking":{"type":"disabled"})") == "1  0");
    CHECK(options(R"("reasoning":{"effort":"low","exclude":true})") == "2 low 0 hidden");
    CHECK(options(R"("reasoning":{"max_tokens":2000})") == "2  2000");
    CHECK(options(R"("reasoning":{"enabled":false})") == "1  0");
    CHECK(options(R"("user":"u")") == "0  0");
}

TEST_CASE("a format of answers is read with its schema", "[dialects][openai]") {
    request r(with(R"("response_format":{"type":"json_schema","json_schema":{"name":"n","description":"d",)"
                   R"("schema":{"type":"object"},"strict":true}})"));
    const response_format& f = read(r).format;
    CHECK((f.what == response_format::kind::json_schema && f.schema == R"({"type":"object"})"));
    CHECK((f.name == R"("n")" && f.description == R"("d")" && f.strict == "true"));
    request o(with(R"("response_format":{"type":"json_object"})"));
    CHECK((read(o).format.what == response_format::kind::json_object));
}

TEST_CASE("a wrong type is refused by the field's name", "[dialects][openai]") {
    const std::pair<std::string, std::string> members[] = {
        {R"("model":5)", "model"},
        {R"("stream":"yes")", "stream"},
        {R"("stop":[1])", "stop"},
        {R"("max_completion_tokens":1.5)", "max_completion_tokens"},
        {R"("max_tokens":-1)", "max_tokens"},
        {R"("temperature":"hot")", "temperature"},
        {R"("logprobs":3)", "logprobs"},
        {R"("metadata":[])", "metadata"},
        {R"("tools":{})", "tools"},
        {R"("tools":[1])", "tools[0]"},
        {R"("tools":[{}])", "tools[0].type"},
        {R"("tools":[{"type":"function"}])", "tools[0].function"},
        {R"("tools":[{"type":"function","function":{}}])", "tools[0].function.name"},
        {R"("tools":[{"type":"function","function":{"name":"f","strict":1}}])", "tools[0].function.strict"},
        {R"("tools":[{"type":"function","function":{"name":"f","parameters":[]}}])", "tools[0].function.parameters"},
        {R"("tools":[{"type":"function","function":{"name":"f"},"cache_control":1}])", "tools[0].cache_control"},
        {R"("tool_choice":"all")", "tool_choice"},
        {R"("tool_choice":{"type":"function","function":{}})", "tool_choice.function.name"},
        {R"("tool_choice":{"type":"allowed_tools","allowed_tools":{"tools":[{"type":"function"}]}})",
         "tool_choice.allowed_tools.tools[0].function"},
        {R"("response_format":{"type":"xml"})", "response_format.type"},
        {R"("response_format":{"type":"json_schema"})", "response_format.json_schema"},
        {R"("response_format":{"type":"json_schema","json_schema":{"schema":"s"}})",
         "response_format.json_schema.schema"},
        {R"("response_format":{"type":"json_schema","json_schema":{"name":1}})", "response_format.json_schema.name"},
        {R"("reasoning_effort":1)", "reasoning_effort"},
        {R"("thinking":{"type":"enabled","budget_tokens":"many"})", "thinking.budget_tokens"},
        {R"("reasoning":{"enabled":"no"})", "reasoning.enabled"},
        {R"("stream_options":{"include_usage":1})", "stream_options.include_usage"},
        {R"("parallel_tool_calls":1)", "parallel_tool_calls"},
        {R"("functions":[])", "functions"},
    };
    for (const auto& [member, param] : members) {
        const bool model = member.starts_with(R"("model")");
        const std::string why = refusal(model ? R"({"messages":[],)" + member + "}" : with(member));
        INFO(why);
        CHECK(why.starts_with(param + ": `" + param));
    }
    CHECK(refusal(R"({"model":"m"})") == "messages: The request has no `messages`.");
    CHECK(refusal(R"({"messages":{}})") == "messages: `messages` must be an array.");
}

TEST_CASE("a wrong message is refused by its place", "[dialects][openai]") {
    const std::pair<std::string, std::string> wrong[] = {
        {"1", "messages[0]"},
        {R"({"role":"robot","content":"a"})", "messages[0].role"},
        {R"({"role":"function","name":"f","content":"a"})", "messages[0].role"},
        {R"({"role":"user"})", "messages[0].content"},
        {R"({"role":"user","content":5})", "messages[0].content"},
        {R"({"role":"user","content":"a","name":5})", "messages[0].name"},
        {R"({"role":"user","content":"a","cache_control":5})", "messages[0].cache_control"},
        {R"({"role":"tool","content":"a"})", "messages[0].tool_call_id"},
        {R"({"role":"assistant","content":"a","function_call":{"name":"f"}})", "messages[0].function_call"},
        {R"({"role":"assistant","tool_calls":{}})", "messages[0].tool_calls"},
        {R"({"role":"assistant","tool_calls":[{"function":{"name":"f"}}]})", "messages[0].tool_calls[0].id"},
        {R"({"role":"assistant","tool_calls":[{"id":"a"}]})", "messages[0].tool_calls[0].function"},
        {R"({"role":"assistant","tool_calls":[{"id":"a","function":{"name":1}}]})",
         "messages[0].tool_calls[0].function.name"},
        {R"({"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":1}}]})",
         "messages[0].tool_calls[0].function.arguments"},
        {R"({"role":"assistant","tool_calls":[{"id":"a","custom":{"name":"f","input":{}}}]})",
         "messages[0].tool_calls[0].custom.input"},
        {R"({"role":"assistant","thinking_blocks":[{"type":"dream"}]})", "messages[0].thinking_blocks[0].type"},
        {R"({"role":"assistant","thinking_blocks":[{"type":"thinking"}]})", "messages[0].thinking_blocks[0].thinking"},
        {R"({"role":"assistant","thinking_blocks":[{"type":"thinking","thinking":"a","signature":1}]})",
         "messages[0].thinking_blocks[0].signature"},
    };
    for (const auto& [text, param] : wrong) CHECK(refusal(messages(text)).starts_with(param + ": `" + param));
}

TEST_CASE("a wrong part is refused by its place", "[dialects][openai]") {
    const std::string at = "messages[0].content[0]";
    const std::pair<std::string, std::string> wrong[] = {
        {R"("a")", ""},
        {R"({"type":"input_text","text":"a"})", ".type"},
        {R"({"type":"image_url"})", ".type"},
        {R"({"type":"text","text":1})", ".text"},
        {R"({"type":"text","text":"a","cache_control":"x"})", ".cache_control"},
        {R"({"type":"image_url","image_url":{}})", ".image_url"},
        {R"({"type":"image_url","image_url":{"url":1}})", ".image_url.url"},
        {R"({"type":"image_url","image_url":{"url":"u","detail":1}})", ".image_url.detail"},
        {R"({"type":"image_url","image_url":{"url":"data:image/svg+xml,<svg/>"}})", ".image_url.url"},
        {R"({"type":"input_audio","input_audio":{"format":"wav"}})", ".input_audio.data"},
        {R"({"type":"file","file":{"filename":"a"}})", ".file"},
        {R"({"type":"file","file":{"file_data":"data:text/plain,a"}})", ".file.file_data"},
    };
    for (const auto& [text, field] : wrong) {
        const std::string why = refusal(one(text));
        INFO(why);
        CHECK(why.starts_with(at + field + ": `" + at + field));
    }
    // What decides something may not be said twice.
    CHECK(!refusal(one(R"({"type":"text","text":"a","text":"b"})")).empty());
    CHECK(!refusal(one(R"({"type":"image_url","image_url":{"url":"a","url":"b"}})")).empty());
}

TEST_CASE("lists have a limit", "[dialects][openai]") {
    std::string many = R"({"role":"user","content":"a"})";
    for (int i = 0; i < 65'536; ++i) many += R"(,{"role":"user","content":"a"})";
    CHECK(refusal(messages(many)).starts_with("messages: "));
    std::string parts = R"({"type":"text","text":"a"})";
    for (int i = 0; i < 65'536; ++i) parts += R"(,{"type":"text","text":"a"})";
    CHECK(refusal(one(parts)).starts_with("messages[0].content: "));
}
