#include "support.hpp"

using namespace sluice;
using namespace sluice::chat;
using namespace sluice::chat::openai;
using namespace sluice::chat::openai::test;

namespace {

const json marker = R"({"type":"ephemeral"})";

part call(json id, json arguments = R"({"x":1})") {
    return {make<tool_call>([&](tool_call& t) {
        t.id = id;
        t.name = R"("f")";
        t.arguments = arguments;
    })};
}
part result_of(json id, std::vector<part> content) {
    return {make<tool_result>([&](tool_result& r) {
        r.call_id = id;
        r.content = std::move(content);
    })};
}
part image() {
    return {make<media_part>([](media_part& m) {
        m.mime = "image/png";
        m.base64 = "AAAA";
    })};
}
part thought(json t, family from = "openai", json_chars signature = {}) {
    return {make<reasoning_part>([&](reasoning_part& r) {
        r.text = t;
        r.from = from;
        r.signature = signature;
    })};
}

conversation of(std::vector<message> all, std::string_view dialect = "anthropic.messages") {
    conversation c;
    c.dialect = dialect;
    c.messages = std::move(all);
    return c;
}

tool function(json name) {
    return make<tool>([&](tool& t) { t.name = name; });
}

}  // namespace

TEST_CASE("texts are written as they came, a single one as a string", "[dialects][openai]") {
    const auto w = write(of({{role::system, {text(R"("S\u0041")")}, {}, {}, {}},
                             user({text(R"("a")"), text(R"("b")")}),
                             {role::user, {text(R"("c")")}, R"("Ann")", {}, {}},
                             user({})}));
    CHECK(w.text ==
          R"({"model":"up","messages":[{"role":"system","content":"S\u0041"},{"role":"user","content":[)"
          R"({"type":"text","text":"a"},{"type":"text","text":"b"}]},{"role":"user","name":"Ann","content":"c"},)"
          R"({"role":"user","content":""}]})");
    CHECK(w.dropped.empty());
}

TEST_CASE("media have the forms of OpenAI's parts", "[dialects][openai]") {
    const auto media = [](media_kind what, auto set) {
        return part{make<media_part>([&](media_part& m) {
            m.what = what;
            set(m);
        })};
    };
    const auto w = write(of({user({
        image(),
        media(media_kind::image, [](media_part& m) { m.url = R"("https://x/y.png")", m.detail = R"("low")"; }),
        media(media_kind::audio, [](media_part& m) { m.mime = "audio/mpeg", m.base64 = "BBBB"; }),
        media(media_kind::document, [](media_part& m) { m.mime = "application/pdf", m.base64 = "CCCC"; }),
        media(media_kind::document, [](media_part& m) { m.file_id = R"("file-1")", m.from = "openai"; }),
        media(media_kind::document, [](media_part& m) { m.text = R"("plain")"; }),
        media(media_kind::video, [](media_part& m) { m.url = R"("https://x/v")"; }),
    })}));
    CHECK(messages_of(w) ==
          R"([{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},)"
          R"({"type":"image_url","image_url":{"url":"https://x/y.png","detail":"low"}},)"
          R"({"type":"input_audio","input_audio":{"data":"BBBB","format":"mp3"}},)"
          R"({"type":"file","file":{"filename":"document.pdf","file_data":"data:application/pdf;base64,CCCC"}},)"
          R"({"type":"file","file":{"file_id":"file-1"}},{"type":"text","text":"plain"},)"
          R"({"type":"video_url","video_url":{"url":"https://x/v"}}]}])");
}

TEST_CASE("what these parts cannot say is refused, or left out where that is allowed", "[dialects][openai]") {
    const auto media = [](media_kind what, json url, json file) {
        return part{make<media_part>([&](media_part& m) {
            m.what = what;
            m.url = url;
            m.file_id = file;
            m.from = "anthropic";
        })};
    };
    for (const part& p :
         {media(media_kind::document, R"("https://x/y.pdf")", {}), media(media_kind::audio, R"("https://x/y.mp3")", {}),
          media(media_kind::image, {}, R"("file_1")"),
          part{native_part{"{}", "anthropic.messages", "server_tool_use"}}}) {
        const conversation c = of({user({text(R"("a")"), p}), user({p})});
        const auto refused = write(c);
        CHECK(refused.refused.kind == error_kind::bad_request);
        CHECK(refused.refused.param == "messages[0].content[1]");
        const auto dropped = write(c, {}, true);
        CHECK(dropped.dropped == strings{"messages[0].content[1]", "messages[1].content[0]"});
        CHECK(messages_of(dropped) == R"([{"role":"user","content":[{"type":"text","text":"a"}]},)"
                                      R"({"role":"user","content":[{"type":"text","text":""}]}])");
    }
}

TEST_CASE("calls and results are messages of their own", "[dialects][openai]") {
    const auto w = write(of({assistant({text(R"("Wait")"), call(R"("a")"), call(R"("b")", R"("{}")")}),
                             user({text(R"("and?")"), result_of(R"("a")", {text(R"("one")")}),
                                   result_of(R"("b")", {text(R"("two")"), text(R"("three")")})})}));
    CHECK(
        messages_of(w) ==
        R"([{"role":"assistant","content":"Wait","tool_calls":[)"
        R"({"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},)"
        R"({"id":"b","type":"function","function":{"name":"f","arguments":"{}"}}]},)"
        R"({"role":"tool","tool_call_id":"a","content":"one"},)"
        R"({"role":"tool","tool_call_id":"b","content":[{"type":"text","text":"two"},{"type":"text","text":"three"}]},)"
        R"({"role":"user","content":"and?"}])");
}

TEST_CASE("nothing stands between results: their pictures follow the last one", "[dialects][openai]") {
    const std::string expected =
        R"({"role":"tool","tool_call_id":"a","content":"see"},{"role":"tool","tool_call_id":"b","content":""},)"
        R"({"role":"user","content":[{"type":"text","text":"Returned by the call a:"},)"
        R"({"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]})";
    const part first = result_of(R"("a")", {text(R"("see")"), image()});
    const part second = result_of(R"("b")", {});
    CHECK(messages_of(write(of({user({first, second})}))) == "[" + expected + "]");
    CHECK(messages_of(write(of({user({first}), user({second})}))) == "[" + expected + "]");
    CHECK(messages_of(write(of({user({first}), user({second, text(R"("Go")")}), assistant({text(R"("Ok")")})}))) ==
          "[" + expected + R"(,{"role":"user","content":"Go"},{"role":"assistant","content":"Ok"}])");
    CHECK(messages_of(write(of({user({first}), user({second}), assistant({text(R"("Ok")")})}))) ==
          "[" + expected + R"(,{"role":"assistant","content":"Ok"}])");
}

TEST_CASE("an error of a tool and an object as its result", "[dialects][openai]") {
    const part failed{make<tool_result>([](tool_result& r) {
        r.call_id = R"("a")";
        r.content = {text(R"("boom")")};
        r.is_error = true;
    })};
    const part object{make<tool_result>([](tool_result& r) {
        r.call_id = R"("b")";
        r.structured = R"({"t":"\u00f6"})";
    })};
    const auto w = write(of({user({failed, object})}));
    CHECK(messages_of(w) == R"([{"role":"tool","tool_call_id":"a","content":"boom"},)"
                            R"({"role":"tool","tool_call_id":"b","content":"{\"t\":\"\\u00f6\"}"}])");
    CHECK(w.dropped == strings{"messages[0].content[0].is_error"});
}

TEST_CASE("an assistant's message always has content or something instead", "[dialects][openai]") {
    CHECK(messages_of(write(of({assistant({call(R"("a")", {})})}))) ==
          R"([{"role":"assistant","content":null,"tool_calls":[)"
          R"({"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]}])");
    CHECK(messages_of(write(of({assistant({{refusal_part{R"("No")"}}, {refusal_part{R"("never")"}}})}))) ==
          R"([{"role":"assistant","content":null,"refusal":"No\nnever"}])");
    const auto w = write(of({assistant({thought(R"("hm")", "anthropic", "EqQB")})}));
    CHECK(messages_of(w) == R"([{"role":"assistant","content":""}])");
    CHECK(w.dropped == strings{"messages[0].content[0]"});
}

TEST_CASE("earlier thoughts go back to servers that take them, and only their own", "[dialects][openai]") {
    const conversation c = of({assistant({thought(R"("hm")"), thought(R"("so")"), text(R"("Hi")")}),
                               assistant({thought(R"("x")", "gemini"), text(R"("a")")}),
                               assistant({thought(R"("y")", "anthropic", "EqQB"), text(R"("b")")})});
    const std::string others = R"({"role":"assistant","content":"a"},{"role":"assistant","content":"b"}])";
    const auto plain = write(c);
    CHECK(messages_of(plain) == R"([{"role":"assistant","content":"Hi"},)" + others);
    CHECK(plain.dropped == strings{"messages[0].content[0]", "messages[0].content[1]", "messages[1].content[0]",
                                   "messages[2].content[0]"});
    const auto kept = write(c, {.history = chat_quirks::reasoning::content});
    CHECK(messages_of(kept) == R"([{"role":"assistant","reasoning_content":"hm\nso","content":"Hi"},)" + others);
    CHECK(kept.dropped == strings{"messages[1].content[0]", "messages[2].content[0]"});
    CHECK(messages_of(write(c, {.history = chat_quirks::reasoning::plain})) ==
          R"([{"role":"assistant","reasoning":"hm\nso","content":"Hi"},)" + others);
}

TEST_CASE("cache markers are written to servers that take them, else told", "[dialects][openai]") {
    const auto marked = [](part p) {
        p.cache_control = marker;
        return p;
    };
    conversation c = of({{role::system, {marked(text(R"("S")"))}, {}, {}, {}},
                         assistant({text(R"("a")"), marked(call(R"("a")"))}),
                         user({marked(result_of(R"("a")", {text(R"("one")")}))}),
                         user({result_of(R"("a")", {marked(text(R"("two")"))})})});
    c.tools.push_back(function(R"("f")"));
    c.tools[0].cache_control = marker;
    const auto plain = write(c);
    CHECK(plain.text.find("cache_control") == std::string::npos);
    CHECK(plain.dropped == strings{"messages[0].content[0].cache_control", "messages[1].content[1].cache_control",
                                   "messages[2].content[0].cache_control", "messages[3].content[0].cache_control",
                                   "tools[0].cache_control"});
    const auto kept = write(c, {.cache_control = true});
    CHECK(kept.dropped.empty());
    CHECK(kept.text ==
          R"({"model":"up","messages":[{"role":"system","content":[{"type":"text","text":"S",)"
          R"("cache_control":{"type":"ephemeral"}}]},{"role":"assistant","content":"a","tool_calls":[)"
          R"({"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}}],)"
          R"("cache_control":{"type":"ephemeral"}},{"role":"tool","tool_call_id":"a","content":"one",)"
          R"("cache_control":{"type":"ephemeral"}},{"role":"tool","tool_call_id":"a","content":[{"type":"text",)"
          R"("text":"two","cache_control":{"type":"ephemeral"}}]}],"tools":[{"type":"function",)"
          R"("function":{"name":"f"},"cache_control":{"type":"ephemeral"}}]})");
}

TEST_CASE("tools and the choice among them", "[dialects][openai]") {
    conversation c = hello();
    c.tools = {make<tool>([](tool& t) {
                   t.name = R"("f")";
                   t.description = R"("d")";
                   t.parameters = R"({"type":"object"})";
                   t.strict = "true";
               }),
               make<tool>([](tool& t) {
                   t.what = tool::kind::custom;
                   t.name = R"("g")";
                   t.parameters = R"({"type":"text"})";
               })};
    const std::string both =
        R"(,"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"},)"
        R"("strict":true}},{"type":"custom","custom":{"name":"g","format":{"type":"text"}}}])";
    using mode = tool_choice::mode;
    const auto chosen = [&](mode how, json name = {}, std::vector<json> allowed = {}) {
        c.choice = {how, name, std::move(allowed), {}};
        const std::string options = options_of(write(c));
        CHECK(options.starts_with(both));
        return options.substr(both.size());
    };
    CHECK(chosen(mode::unset) == "}");
    CHECK(chosen(mode::automatic) == R"(,"tool_choice":"auto"})");
    CHECK(chosen(mode::none) == R"(,"tool_choice":"none"})");
    CHECK(chosen(mode::required) == R"(,"tool_choice":"required"})");
    CHECK(chosen(mode::named, R"("f")") == R"(,"tool_choice":{"type":"function","function":{"name":"f"}}})");
    CHECK(chosen(mode::named, R"("g")") == R"(,"tool_choice":{"type":"custom","custom":{"name":"g"}}})");
    CHECK(chosen(mode::required, {}, {R"("f")", R"("g")"}) ==
          R"(,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[)"
          R"({"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"g"}}]}}})");
    c.choice = {};
    c.choice.parallel = false;
    CHECK(options_of(write(c)) == both + R"(,"parallel_tool_calls":false})");
    const auto without = write(c, {.strict_tools = false, .parallel_flag = false});
    CHECK(without.text.find("strict") == std::string::npos);
    CHECK(without.dropped == strings{"tools[0].strict", "parallel_tool_calls"});
}

TEST_CASE("tools of another provider are refused, and no empty list is left of them", "[dialects][openai]") {
    conversation c = hello();
    c.tools = {make<tool>([](tool& t) {
        t.what = tool::kind::native;
        t.name = R"("web_search")";
        t.definition = R"({"type":"web_search_20250305"})";
        t.dialect = "anthropic.messages";
    })};
    c.choice.how = tool_choice::mode::required;
    CHECK(write(c).refused.param == "tools[0]");
    const auto dropped = write(c, {}, true);
    CHECK(options_of(dropped) == "}");
    CHECK(dropped.dropped == strings{"tools[0]", "tool_choice"});
    c.tools[0].dialect = chat_name;
    CHECK(options_of(write(c)) == R"(,"tools":[{"type":"web_search_20250305"}],"tool_choice":"required"})");
}

TEST_CASE("options are written under the names that the server knows", "[dialects][openai]") {
    conversation c = hello();
    sampling_options& s = c.sampling;
    s.tokens_max = 5;
    s.temperature = "0.10";
    s.top_k = "40";
    s.stop = {R"("a")"};
    s.candidates = "2";
    c.format.what = response_format::kind::json_schema;
    c.format.schema = R"({"type":"object"})";
    c.stream = true;
    c.user = R"("u")";
    c.metadata = R"({"user_id":"u"})";
    const auto ours = write(c);
    CHECK(options_of(ours) ==
          R"(,"response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object"}}},)"
          R"("max_completion_tokens":5,"temperature":0.10,"n":2,"stop":["a"],"user":"u","stream":true,)"
          R"("stream_options":{"include_usage":true}})");
    CHECK(ours.dropped == strings{"top_k", "metadata"});
    const chat_quirks old{.max_tokens_field = "max_tokens", .stream_usage = false, .json_schema = false, .top_k = true};
    CHECK(write(c, old).refused.param == "response_format.json_schema");
    CHECK(
        options_of(write(c, old, true)) ==
        R"(,"response_format":{"type":"json_object"},"max_tokens":5,"temperature":0.10,"n":2,"stop":["a"],"top_k":40,)"
        R"("user":"u","stream":true})");
}

TEST_CASE("developers are the system's where a server does not know them", "[dialects][openai]") {
    const conversation c = of({{role::developer, {text(R"("D")")}, {}, {}, {}}});
    CHECK(messages_of(write(c)) == R"([{"role":"developer","content":"D"}])");
    CHECK(messages_of(write(c, {.developer_role = false})) == R"([{"role":"system","content":"D"}])");
}

TEST_CASE("thinking is said as an effort", "[dialects][openai]") {
    const auto effort = [](reasoning_options::mode how, std::string_view said, std::optional<std::int64_t> budget,
                           std::string_view dialect = "anthropic.messages") {
        conversation c = hello();
        c.dialect = dialect;
        c.reasoning.how = how;
        c.reasoning.effort = said;
        c.reasoning.budget = budget;
        return options_of(write(c));
    };
    using mode = reasoning_options::mode;
    CHECK(effort(mode::on, "", 2048) == R"(,"reasoning_effort":"medium"})");
    CHECK(effort(mode::on, "high", 1) == R"(,"reasoning_effort":"high"})");
    CHECK(effort(mode::on, "max", {}) == R"(,"reasoning_effort":"xhigh"})");
    CHECK(effort(mode::on, "max", {}, "openai.responses") == R"(,"reasoning_effort":"max"})");
    CHECK(effort(mode::on, "", -1) == "}");
    CHECK(effort(mode::off, "", {}) == "}");
    CHECK(effort(mode::off, "none", {}) == R"(,"reasoning_effort":"none"})");
}

TEST_CASE("fields that OpenAI's dialects share pass, those that nobody knows are told", "[dialects][openai]") {
    conversation c = hello();
    c.extras = {{"store", "true"}, {"moderation", "{}"}, {"odd", "1"}};
    c.messages[0].extras = {{"mark", "1"}};
    c.messages[0].content[0].extras = {{"citations", "{}"}};
    const auto foreign = write(c);
    CHECK(options_of(foreign) == "}");
    CHECK(foreign.dropped ==
          strings{"messages[0].mark", "messages[0].content[0].citations", "store", "moderation", "odd"});
    c.dialect = "openai.responses";
    CHECK(options_of(write(c)) == R"(,"store":true,"moderation":{}})");
    // Of a call and of a result, too.
    part marked = call(R"("a")");
    marked.extras = {{"caller", "{}"}};
    part answered = result_of(R"("a")", {text(R"("x")")});
    answered.extras = {{"kept", "1"}};
    CHECK(write(of({assistant({marked}), user({answered})})).dropped ==
          strings{"messages[0].content[0].caller", "messages[1].content[0].kept"});
}
