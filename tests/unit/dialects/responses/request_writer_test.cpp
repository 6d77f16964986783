#include "dialects/responses/responses.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

using namespace sluice;
using namespace sluice::chat;

namespace {

part text(json t) {
    return {text_part{t, {}, {}}};
}

message say(role who, std::vector<part> parts) {
    message m;
    m.who = who;
    m.content = std::move(parts);
    return m;
}

struct written {
    std::string text;
    std::vector<std::string> dropped;
    error refused;
};

written write(const conversation& c, bool drop = false) {
    written w;
    losses lost("gpt-5 (openai.responses)", drop);
    const auto done = responses::responses_upstream().write_request(c, target_facts{"gpt-5"}, lost, w.text);
    if (!done) w.refused = done.error();
    w.dropped = lost.dropped();
    if (done) CHECK(validate_json(w.text).has_value());
    return w;
}

conversation from_chat() {
    conversation c;
    c.dialect = "openai.chat";
    return c;
}

}  // namespace

TEST_CASE("a conversation of chat completions is written as Responses want it", "[dialects][responses]") {
    conversation c = from_chat();
    c.messages.push_back(say(role::system, {text(R"("Be brief.")")}));
    c.messages.push_back(say(role::user, {text(R"("2\u00b2?")")}));
    tool_call call;
    call.id = R"("call_1")";
    call.name = R"("sq")";
    call.arguments = R"({"n":2})";
    c.messages.push_back(say(role::assistant, {text(R"("Wait.")"), {call}}));
    tool_result r;
    r.call_id = R"("call_1")";
    r.content = {text(R"("4")")};
    c.messages.push_back(say(role::user, {{r}}));
    tool t;
    t.name = R"("sq")";
    t.parameters = R"({"type":"object"})";
    c.tools.push_back(t);
    c.choice.how = tool_choice::mode::named;
    c.choice.name = R"("sq")";
    c.sampling.tokens_max = 9;
    c.sampling.temperature = "0.10";
    c.stream = true;
    CHECK(
        write(c).text ==
        R"({"model":"gpt-5","instructions":"Be brief.","input":[{"role":"user","content":"2\u00b2?"},)"
        R"({"role":"assistant","content":"Wait."},)"
        R"({"type":"function_call","call_id":"call_1","name":"sq","arguments":"{\"n\":2}"},)"
        R"({"type":"function_call_output","call_id":"call_1","output":"4"}],)"
        R"("tools":[{"type":"function","name":"sq","parameters":{"type":"object"},"strict":false}],)"
        R"("tool_choice":{"type":"function","name":"sq"},"max_output_tokens":9,"temperature":0.10,"store":false,"stream":true})");
}

TEST_CASE("parts of every kind have their object", "[dialects][responses]") {
    conversation c = from_chat();
    media_part image;
    image.base64 = "AAAA";
    image.mime = "image/png";
    media_part file;
    file.what = media_kind::document;
    file.base64 = "QUI=";
    file.mime = "application/pdf";
    media_part sound;
    sound.what = media_kind::audio;
    sound.base64 = "AAA=";
    sound.mime = "audio/mpeg";
    media_part plain;
    plain.what = media_kind::document;
    plain.text = R"("plain")";
    c.messages.push_back(say(role::user, {{image}, {file}, {sound}, {plain}}));
    c.messages.push_back(say(role::assistant, {{refusal_part{R"("No.")"}}}));
    CHECK(write(c).text ==
          R"({"model":"gpt-5","input":[{"type":"message","role":"user","content":[)"
          R"({"type":"input_image","image_url":"data:image/png;base64,AAAA","detail":"auto"},)"
          R"({"type":"input_file","filename":"document.pdf","file_data":"data:application/pdf;base64,QUI="},)"
          R"({"type":"input_audio","input_audio":{"data":"AAA=","format":"mp3"}},)"
          R"({"type":"input_text","text":"plain"}]},)"
          R"({"type":"message","role":"assistant","content":[{"type":"refusal","refusal":"No."}]}],"store":false})");
}

TEST_CASE("only OpenAI's own reasoning goes back to OpenAI", "[dialects][responses]") {
    conversation c;
    c.dialect = "anthropic.messages";
    reasoning_part ours;
    ours.text = R"("thought")";
    ours.signature = "ENC";
    ours.from = "openai";
    reasoning_part theirs;
    theirs.text = R"("x")";
    theirs.signature = "SIG";
    theirs.from = "anthropic";
    reasoning_part nobodys;
    nobodys.text = R"("y")";
    c.messages.push_back(say(role::assistant, {{theirs}, {ours}, {nobodys}, text(R"("a")")}));
    c.reasoning.how = reasoning_options::mode::on;
    c.reasoning.budget = 9000;
    c.reasoning.show = true;
    const written w = write(c);
    CHECK(
        w.text ==
        R"({"model":"gpt-5","input":[{"type":"reasoning","summary":[{"type":"summary_text","text":"thought"}],)"
        R"("encrypted_content":"ENC"},{"role":"assistant","content":"a"}],"reasoning":{"effort":"high","summary":"auto"},)"
        R"("include":["reasoning.encrypted_content"],"store":false})");
    CHECK(w.dropped == std::vector<std::string>{"messages[0].content[0]", "messages[0].content[2]"});
}

TEST_CASE("what Responses cannot say is refused, or dropped and told", "[dialects][responses]") {
    conversation c = from_chat();
    c.messages.push_back(say(role::user, {text(R"("x")")}));
    c.sampling.stop = {R"("END")"};
    const written refused = write(c);
    CHECK(refused.refused.kind == error_kind::bad_request);
    CHECK(refused.refused.param == "stop");
    const written dropped = write(c, true);
    CHECK(dropped.text == R"({"model":"gpt-5","input":[{"role":"user","content":"x"}],"store":false})");
    CHECK(dropped.dropped == std::vector<std::string>{"stop"});

    struct row {
        void (*change)(conversation&);
        const char* param;
    };
    const row rows[] = {
        {[](conversation& x) { x.sampling.stop.clear(), x.sampling.candidates = "2"; }, "n"},
        {[](conversation& x) { x.sampling.stop.clear(), x.sampling.presence_penalty = "0.5"; }, "presence_penalty"},
        {[](conversation& x) { x.sampling.stop.clear(), x.sampling.logit_bias = R"({"1":2})"; }, "logit_bias"},
        {[](conversation& x) { x.sampling.stop.clear(), x.modalities = R"(["text","audio"])"; }, "modalities"},
        {[](conversation& x) {
             x.sampling.stop.clear();
             media_part video;
             video.what = media_kind::video;
             video.url = R"("https://x/v.mp4")";
             x.messages[0].content.push_back({video});
         },
         "messages[0].content[1]"},
        {[](conversation& x) {
             x.sampling.stop.clear();
             x.messages[0].content.push_back({native_part{"{}", "gemini", "executableCode"}});
         },
         "messages[0].content[1]"},
    };
    for (const row& r : rows) {
        conversation changed = from_chat();
        changed.messages = c.messages;
        r.change(changed);
        INFO(r.param);
        CHECK(write(changed).refused.param == r.param);
        CHECK(write(changed, true).dropped == std::vector<std::string>{r.param});
    }
}

TEST_CASE("hints are left out and told, and values that change nothing are no loss", "[dialects][responses]") {
    conversation c;
    c.dialect = "anthropic.messages";
    c.messages.push_back(say(role::user, {text(R"("x")")}));
    c.messages[0].content[0].cache_control = R"({"type":"ephemeral"})";
    c.messages[0].name = R"("bob")";
    tool_result r;
    r.call_id = R"("c")";
    r.is_error = true;
    c.messages.push_back(say(role::user, {{r}}));
    c.sampling.top_k = "40";
    c.sampling.seed = "7";
    c.sampling.candidates = "1";
    c.sampling.presence_penalty = "0.0";
    c.modalities = R"(["text"])";
    c.metadata = R"({"user_id":"u"})";
    c.extras.push_back({"container", "1"});
    const written w = write(c);
    CHECK(w.text == R"({"model":"gpt-5","input":[{"role":"user","content":"x"},)"
                    R"({"type":"function_call_output","call_id":"c","output":""}],"store":false})");
    CHECK(w.dropped == std::vector<std::string>{"messages[0].name", "messages[0].content[0].cache_control",
                                                "messages[1].content[0].is_error", "seed", "top_k", "metadata",
                                                "container"});
}

TEST_CASE("a grammar is flat here and nested in chat completions", "[dialects][responses]") {
    conversation c = from_chat();
    c.messages.push_back(say(role::user, {text(R"("x")")}));
    tool t;
    t.what = tool::kind::custom;
    t.name = R"("g")";
    t.parameters = R"({"type":"grammar","grammar":{"definition":"a","syntax":"regex"}})";
    c.tools.push_back(t);
    CHECK_THAT(
        write(c).text,
        Catch::Contains(
            R"("tools":[{"type":"custom","name":"g","format":{"type":"grammar","definition":"a","syntax":"regex"}}])"));
}

TEST_CASE("what was read is what is read again from what is written", "[dialects][responses]") {
    const char* const bodies[] = {
        R"({"model":"m","instructions":"i","input":"x"})",
        R"({"model":"m","input":[{"role":"system","content":"s"},{"role":"developer","content":[{"type":"input_text","text":"a"},{"type":"input_text","text":"b"}]}]})",
        R"({"model":"m","input":[{"type":"message","id":"msg_u","role":"user","content":[],"status":"incomplete"},{"role":"assistant","content":"a","phase":"commentary"},{"role":"assistant","content":"b"}]})",
        R"({"model":"m","input":[
            {"role":"user","content":[{"type":"input_image","image_url":"https://x/a.png","detail":"low"},{"type":"input_image","file_id":"f"},
              {"type":"input_file","file_url":"https://x/a.pdf","filename":"n"},{"type":"input_file","file_data":"data:text/csv;base64,QUI=","filename":"a.csv"},
              {"type":"input_audio","input_audio":{"data":"AAA=","format":"wav"}},{"type":"input_text","text":"t","prompt_cache_breakpoint":{"mode":"explicit"}}]},
            {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"s1"},{"type":"summary_text","text":"s2"}],"content":[{"type":"reasoning_text","text":"c"}],"encrypted_content":"ENC"},
            {"type":"reasoning","id":"rs_2","summary":[],"encrypted_content":"E2"},
            {"type":"reasoning","summary":[{"type":"summary_text","text":"unsigned"}]},
            {"type":"message","id":"msg_1","role":"assistant","status":"completed","content":[{"type":"output_text","text":"a","annotations":[{"type":"url_citation","url":"u"}],"logprobs":[{"token":"a"}]},{"type":"refusal","refusal":"no"}]},
            {"type":"web_search_call","id":"ws_1","status":"completed","action":{}},
            {"type":"message","id":"msg_2","role":"assistant","status":"incomplete","content":[{"type":"output_text","text":"b"}]},
            {"type":"function_call","id":"fc_1","call_id":"c1","name":"f","arguments":"{\"a\":1}","namespace":"n"},
            {"type":"custom_tool_call","call_id":"c2","name":"g","input":"in"},
            {"type":"image_generation_call","id":"ig_1","result":"AAAA","output_format":"webp","size":"1x1"},
            {"type":"function_call_output","id":"fco_1","call_id":"c1","output":[{"type":"input_image","image_url":"https://x/b.png"},{"type":"input_text","text":"r"}]},
            {"type":"custom_tool_call_output","call_id":"c2","output":"out"},
            {"type":"mcp_approval_response","approval_request_id":"a","approve":true},
            {"role":"user","content":"go on"}],
          "tools":[{"type":"function","name":"f","parameters":{"type":"object"},"strict":false,"async":true},{"type":"custom","name":"g","format":{"type":"grammar","syntax":"lark","definition":"x"}},{"type":"web_search"}],
          "tool_choice":{"type":"custom","name":"g"},"parallel_tool_calls":true,"reasoning":{"effort":"max","summary":"concise","context":"auto"},
          "text":{"format":{"type":"json_object"},"verbosity":"high","novel":1},"include":["file_search_call.results","message.output_text.logprobs"],
          "max_output_tokens":1,"temperature":1.0,"top_p":0.5,"top_logprobs":2,"metadata":{"k":"v"},"user":"u","service_tier":"auto",
          "prompt_cache_key":"p","store":true,"truncation":"auto","max_tool_calls":3,"previous_response_id":"resp_0","stream":true,"stream_options":{"include_obfuscation":true},"brand_new":{}})",
        R"({"model":"m","input":"x","tool_choice":{"type":"mcp","server_label":"s"},"reasoning":{"effort":"none"},"text":{"format":{"type":"json_schema","name":"n","description":"d","schema":{},"strict":false}}})",
        R"({"model":"m","input":"x","tools":[{"type":"function","name":"f"}],"tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"f"}]},"reasoning":{"summary":"detailed"}})",
    };
    for (const char* const body : bodies) {
        INFO(body);
        const auto first_body = json_object::parse(body);
        REQUIRE(first_body.has_value());
        conversation first;
        REQUIRE(responses::read_request(*first_body, first).has_value());
        losses lost("t", false);
        std::string text_again;
        REQUIRE(responses::write_request(first, target_facts{"m"}, lost, text_again).has_value());
        INFO(text_again);
        CHECK(lost.dropped().empty());
        const auto second_body = json_object::parse(text_again);
        REQUIRE(second_body.has_value());
        conversation second;
        REQUIRE(responses::read_request(*second_body, second).has_value());
        CHECK((first.messages == second.messages));
        CHECK((first.tools == second.tools));
        CHECK((first.choice == second.choice));
        CHECK((first.format == second.format));
        CHECK((first.reasoning == second.reasoning));
        CHECK((first.sampling == second.sampling));
        CHECK(first.model == second.model);
        CHECK(first.stream == second.stream);
        CHECK(first.user == second.user);
        CHECK(first.metadata == second.metadata);
        CHECK(first.service_tier == second.service_tier);
        CHECK(first.prompt_cache_key == second.prompt_cache_key);
        CHECK(first.verbosity == second.verbosity);
        for (const extra_field& f : first.extras) {
            INFO(f.key << " " << f.value);
            if (f.key == "include") continue;  // the same entries, in another order
            CHECK((std::find(second.extras.begin(), second.extras.end(), f) != second.extras.end()));
        }
        CHECK(first.extras.size() == second.extras.size());
        std::string third;
        REQUIRE(responses::write_request(second, target_facts{"m"}, lost, third).has_value());
        if (first.extras == second.extras) CHECK(third == text_again);
    }
}
