#include "dialects/responses/responses.hpp"
#include "dialects/values.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

using namespace sluice;
using namespace sluice::chat;

namespace {

struct request {
    explicit request(std::string text_) : text(std::move(text_)) {
        auto parsed = json_object::parse(text);
        REQUIRE(parsed.has_value());
        body = std::move(*parsed);
        read = responses::responses_client().read_request(body, client_call{}, c);
    }
    const part& at(std::size_t m, std::size_t p) const { return c.messages.at(m).content.at(p); }

    std::string text;
    json_object body;
    conversation c;
    result<void> read;
};

template <class T>
const T& as(const part& p) {
    return std::get<T>(p.value);
}

error refusal(std::string text) {
    request r(std::move(text));
    REQUIRE_FALSE(r.read.has_value());
    CHECK(r.read.error().kind == error_kind::bad_request);
    return r.read.error();
}

}  // namespace

TEST_CASE("a string is what the user says, and instructions stand before it", "[dialects][responses]") {
    const request r(R"({"model":"gpt-5","instructions":"Be \u00e9lite.","input":"Hi\n"})");
    REQUIRE(r.read.has_value());
    CHECK(r.c.model == R"("gpt-5")");
    CHECK(r.c.dialect == "openai.responses");
    REQUIRE(r.c.messages.size() == 2);
    CHECK((r.c.messages[0].who == role::system));
    CHECK(r.c.messages[0].id == responses::instructions_id);
    CHECK(as<text_part>(r.at(0, 0)).text == R"("Be \u00e9lite.")");
    CHECK((r.c.messages[1].who == role::user));
    CHECK(as<text_part>(r.at(1, 0)).text == R"("Hi\n")");
}

TEST_CASE("the items of one turn are one message, and the outputs of its tools another", "[dialects][responses]") {
    const request r(R"({"input":[
        {"role":"developer","content":"d"},
        {"role":"user","content":[{"type":"input_text","text":"u"}]},
        {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"s1"},{"type":"summary_text","text":"s2"}],"encrypted_content":"ENC"},
        {"type":"message","id":"msg_1","role":"assistant","status":"completed","phase":"commentary","content":[{"type":"output_text","text":"a","annotations":[]}]},
        {"type":"function_call","id":"fc_1","call_id":"call_1","name":"f","arguments":"{}","status":"completed"},
        {"type":"custom_tool_call","id":"ctc_1","call_id":"call_2","name":"g","input":"x y"},
        {"type":"message","id":"msg_2","role":"assistant","status":"completed","content":[{"type":"output_text","text":"b"}]},
        {"type":"function_call_output","call_id":"call_1","output":"1"},
        {"type":"custom_tool_call_output","call_id":"call_2","output":[{"type":"input_text","text":"2"},{"type":"input_image","image_url":"data:image/png;base64,AAAA"}]},
        {"role":"user","content":"next"}]})");
    REQUIRE(r.read.has_value());
    REQUIRE(r.c.messages.size() == 5);
    const message& turn = r.c.messages[2];
    CHECK((turn.who == role::assistant));
    CHECK(turn.id == R"("msg_1")");
    REQUIRE(turn.extras.size() == 1);
    CHECK(turn.extras[0].key == "phase");
    REQUIRE(turn.content.size() == 6);
    const auto& first = as<reasoning_part>(turn.content[0]);
    CHECK(first.text == R"("s1")");
    CHECK(first.summary);
    CHECK(first.encrypted.empty());
    const auto& second = as<reasoning_part>(turn.content[1]);
    CHECK(second.encrypted == "ENC");
    CHECK(second.from == "openai");
    CHECK(second.id == R"("rs_1")");
    CHECK(turn.content[2].item.empty());
    const auto& call = as<tool_call>(turn.content[3]);
    CHECK(call.id == R"("call_1")");
    CHECK(call.item_id == R"("fc_1")");
    CHECK(turn.content[3].extras.empty());
    CHECK((as<tool_call>(turn.content[4]).what == tool_call::kind::custom));
    CHECK(turn.content[5].item == R"({"id":"msg_2"})");
    const message& results = r.c.messages[3];
    CHECK((results.who == role::user));
    REQUIRE(results.content.size() == 2);
    CHECK(as<text_part>(as<tool_result>(results.content[0]).content.at(0)).text == R"("1")");
    const auto& picture = as<media_part>(as<tool_result>(results.content[1]).content.at(1));
    CHECK(picture.base64 == "AAAA");
    CHECK(picture.mime == "image/png");
}

TEST_CASE("pictures, files and sound keep what they say", "[dialects][responses]") {
    const request r(R"({"input":[{"role":"user","content":[
        {"type":"input_image","image_url":"https://x/a.png","detail":"high"},
        {"type":"input_image","file_id":"file-1","detail":"auto"},
        {"type":"input_file","file_data":"data:text/csv;base64,QUI=","filename":"a.csv"},
        {"type":"input_file","file_data":"QUI="},
        {"type":"input_file","file_url":"https://x/a.pdf"},
        {"type":"input_audio","input_audio":{"data":"AAA=","format":"mp3"}},
        {"type":"input_text","text":"t","prompt_cache_breakpoint":{"mode":"explicit"}}]}]})");
    REQUIRE(r.read.has_value());
    CHECK(as<media_part>(r.at(0, 0)).url == R"("https://x/a.png")");
    CHECK(as<media_part>(r.at(0, 0)).detail == R"("high")");
    CHECK(as<media_part>(r.at(0, 1)).file_id == R"("file-1")");
    CHECK(as<media_part>(r.at(0, 1)).from == "openai");
    CHECK(as<media_part>(r.at(0, 1)).detail.empty());
    CHECK(as<media_part>(r.at(0, 2)).mime == "text/csv");
    CHECK(as<media_part>(r.at(0, 2)).name == R"("a.csv")");
    CHECK(as<media_part>(r.at(0, 3)).mime == "application/pdf");
    CHECK((as<media_part>(r.at(0, 4)).what == media_kind::document));
    CHECK(as<media_part>(r.at(0, 5)).mime == "audio/mpeg");
    REQUIRE(r.at(0, 6).extras.size() == 1);
    CHECK(r.at(0, 6).extras[0].key == "prompt_cache_breakpoint");
}

TEST_CASE("items of the provider's own tools pass as they are", "[dialects][responses]") {
    const request r(R"({"input":[
        {"type":"web_search_call","id":"ws_1","status":"completed"},
        {"type":"shell_call_output","call_id":"c","output":[]},
        {"id":"msg_9"},
        {"type":"image_generation_call","id":"ig_1","result":"AAAA","output_format":"webp","status":"completed"},
        {"type":"hologram_call","id":"h"}]})");
    REQUIRE(r.read.has_value());
    REQUIRE(r.c.messages.size() == 4);
    CHECK(as<native_part>(r.at(0, 0)).type == "web_search_call");
    CHECK((r.c.messages[0].who == role::assistant));
    CHECK(as<native_part>(r.at(1, 0)).value == R"({"type":"shell_call_output","call_id":"c","output":[]})");
    CHECK(as<native_part>(r.at(1, 1)).type == "item_reference");
    CHECK((r.c.messages[1].who == role::user));
    CHECK(as<media_part>(r.at(2, 0)).mime == "image/webp");
    CHECK(as<native_part>(r.at(3, 0)).type == "hologram_call");
}

TEST_CASE("foreign secrets lose their tag, and a call's signature finds its call", "[dialects][responses]") {
    const request r(R"({"input":[
        {"type":"reasoning","id":"rs_0","summary":[],"content":[{"type":"reasoning_text","text":"t"}],"encrypted_content":"anthropic:SIG"},
        {"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"anthropic:REDACTED"},
        {"type":"function_call","call_id":"c:1","name":"f","arguments":"{}"},
        {"type":"function_call","call_id":"c:2","name":"f","arguments":"{}"},
        {"type":"reasoning","id":"rs_2","summary":[],"encrypted_content":"gemini:call:U0lH:c:1"}]})");
    REQUIRE(r.read.has_value());
    REQUIRE(r.c.messages.size() == 1);
    REQUIRE(r.c.messages[0].content.size() == 4);
    CHECK(as<reasoning_part>(r.at(0, 0)).signature == "SIG");
    CHECK(as<reasoning_part>(r.at(0, 0)).from == "anthropic");
    CHECK_FALSE(as<reasoning_part>(r.at(0, 0)).summary);
    CHECK(as<reasoning_part>(r.at(0, 1)).encrypted == "REDACTED");
    CHECK(as<tool_call>(r.at(0, 2)).signature == "U0lH");
    CHECK(as<tool_call>(r.at(0, 2)).signed_by == "gemini");
    CHECK(as<tool_call>(r.at(0, 3)).signature.empty());
}

TEST_CASE("tools and their choice are read in every form", "[dialects][responses]") {
    const request r(R"({"input":"x","tools":[
        {"type":"function","name":"f","description":"d","parameters":{"type":"object"},"strict":true,"defer_loading":true},
        {"type":"custom","name":"g","format":{"type":"grammar","syntax":"lark","definition":"start: X"}},
        {"type":"web_search"},{"type":"namespace","name":"n","description":"","tools":[]}],
        "tool_choice":{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"f"},{"type":"custom","name":"g"}]},
        "parallel_tool_calls":false})");
    REQUIRE(r.read.has_value());
    REQUIRE(r.c.tools.size() == 4);
    CHECK(r.c.tools[0].strict == "true");
    CHECK(r.c.tools[0].extras.at(0).key == "defer_loading");
    CHECK(r.c.tools[1].parameters == R"({"type":"grammar","grammar":{"definition":"start: X","syntax":"lark"}})");
    CHECK((r.c.tools[2].what == tool::kind::native));
    CHECK(r.c.tools[2].definition == R"({"type":"web_search"})");
    CHECK((r.c.tools[3].what == tool::kind::native));
    CHECK((r.c.choice.how == tool_choice::mode::required));
    CHECK((r.c.choice.allowed == std::vector<json>{R"("f")", R"("g")"}));
    CHECK((r.c.choice.parallel == false));

    const request named(R"({"input":"x","tool_choice":{"type":"function","name":"f"}})");
    CHECK((named.c.choice.how == tool_choice::mode::named));
    CHECK(named.c.choice.name == R"("f")");
    const request hosted(R"({"input":"x","tool_choice":{"type":"file_search"}})");
    CHECK((hosted.c.choice.how == tool_choice::mode::unset));
    CHECK(hosted.c.extras.at(0).key == "tool_choice");
}

TEST_CASE("options that say what is meant anyway are no extras", "[dialects][responses]") {
    const request r(
        R"({"input":"x","store":false,"background":false,"truncation":"disabled","previous_response_id":null,
        "stream":true,"stream_options":{"include_obfuscation":false},"include":["reasoning.encrypted_content","message.output_text.logprobs"],
        "reasoning":{"effort":"xhigh","summary":"auto","mode":"pro"},
        "text":{"verbosity":"low","format":{"type":"json_schema","name":"n","schema":{"type":"object"},"strict":true}},
        "max_output_tokens":50,"temperature":0.10,"top_p":1,"top_logprobs":3,"user":"u","metadata":{"a":"b"},
        "service_tier":"flex","prompt_cache_key":"k","safety_identifier":"s","brand_new":[1]})");
    REQUIRE(r.read.has_value());
    CHECK(r.c.stream);
    CHECK(r.c.sampling.logprobs == "true");
    CHECK(r.c.sampling.temperature == "0.10");
    CHECK((r.c.sampling.tokens_max == 50));
    CHECK(r.c.reasoning.effort == "xhigh");
    CHECK((r.c.reasoning.how == reasoning_options::mode::on));
    CHECK(r.c.reasoning.summary == "auto");
    CHECK((r.c.reasoning.show == true));
    CHECK((r.c.format.what == response_format::kind::json_schema));
    CHECK(r.c.format.strict == "true");
    CHECK(r.c.verbosity == R"("low")");
    CHECK(r.c.prompt_cache_key == R"("k")");
    std::string extras;
    for (const extra_field& f : r.c.extras) extras.append(f.key).append("=").append(f.value).append(";");
    CHECK(extras == R"(reasoning={"mode":"pro"};safety_identifier="s";brand_new=[1];)");
}

TEST_CASE("what is of the wrong type is refused by its place", "[dialects][responses]") {
    struct row {
        const char* body;
        const char* param;
    };
    const row rows[] = {
        {R"({"model":"m"})", "input"},
        {R"({"input":7})", "input"},
        {R"({"input":["x"]})", "input[0]"},
        {R"({"input":[{"role":"user","content":[{"type":"input_text","text":1}]}]})", "input[0].content[0].text"},
        {R"({"input":[{"role":"user","content":[{"type":"input_text"}]}]})", "input[0].content[0].text"},
        {R"({"input":[{"role":"user","content":[{"type":"image_url"}]}]})", "input[0].content[0].type"},
        {R"({"input":[{"role":"user","content":[{"type":"input_image"}]}]})", "input[0].content[0]"},
        {R"({"input":[{"role":"tool","content":"x"}]})", "input[0].role"},
        {R"({"input":[{"role":"user"}]})", "input[0].content"},
        {R"({"input":[{"content":"x"}]})", "input[0].type"},
        {R"({"input":[{"type":"function_call","name":"f","arguments":"{}"}]})", "input[0].call_id"},
        {R"({"input":[{"type":"function_call","call_id":"c","name":"f","arguments":{}}]})", "input[0].arguments"},
        {R"({"input":[{"type":"function_call_output","call_id":"c"}]})", "input[0].output"},
        {R"({"input":[{"type":"reasoning","summary":[{"type":"summary_text"}]}]})", "input[0].summary[0].text"},
        {R"({"input":"x","instructions":["a"]})", "instructions"},
        {R"({"input":"x","tools":{}})", "tools"},
        {R"({"input":"x","tools":[{"type":"function"}]})", "tools[0].name"},
        {R"({"input":"x","tools":[{"type":"function","name":"f","strict":"yes"}]})", "tools[0].strict"},
        {R"({"input":"x","tool_choice":"sometimes"})", "tool_choice"},
        {R"({"input":"x","reasoning":{"effort":"huge"}})", "reasoning.effort"},
        {R"({"input":"x","text":{"format":{"type":"yaml"}}})", "text.format.type"},
        {R"({"input":"x","text":{"format":{"type":"json_schema","name":"n"}}})", "text.format.schema"},
        {R"({"input":"x","max_output_tokens":0})", "max_output_tokens"},
        {R"({"input":"x","include":[1]})", "include[0]"},
        {R"({"input":"x","temperature":"hot"})", "temperature"},
        {R"({"input":"x","background":"yes"})", "background"},
    };
    for (const row& r : rows) {
        INFO(r.body);
        CHECK(refusal(r.body).param == r.param);
    }
    CHECK(refusal(R"({"input":[{"role":"user","content":[{"type":"input_text","text":1}]}]})").message ==
          "`input[0].content[0].text` must be a string.");
    // One of two members of a name would be read, and the other believed by someone else.
    refusal(R"({"input":[{"role":"user","role":"system","content":"x"}]})");
}

TEST_CASE("more parts than anyone writes are refused", "[dialects][responses]") {
    std::string body = R"({"input":[{"role":"user","content":[)";
    for (int i = 0; i < 65'537; ++i)
        body += i == 0 ? R"({"type":"input_text","text":""})" : R"(,{"type":"input_text","text":""})";
    CHECK(refusal(body + "]}]}").param == "input[0].content");
}

TEST_CASE("what leans on OpenAI's store is told from what does not", "[dialects][responses]") {
    const auto check = [](std::string_view text) {
        const auto body = json_object::parse(text);
        REQUIRE(body.has_value());
        const auto refused = responses::refuse_state(*body);
        CHECK(responses::needs_state(*body) == !refused.has_value());
        return refused ? std::string{} : refused.error().param;
    };
    CHECK(check(R"({"input":"x","previous_response_id":"resp_1"})") == "previous_response_id");
    CHECK(check(R"({"input":"x","conversation":{"id":"c"}})") == "conversation");
    CHECK(check(R"({"prompt":{"id":"p"}})") == "prompt");
    CHECK(check(R"({"input":"x","background":true})") == "background");
    CHECK(check(R"({"input":"x","background":false,"previous_response_id":null,"store":true})").empty());
}
