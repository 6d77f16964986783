#include "support.hpp"

#include <string>

using namespace sluice;
using namespace sluice::chat;
using namespace sluice::chat::anthropic;
using namespace sluice::chat::anthropic::test;

namespace {

// The message and param of the refusal of a request with these members.
std::string refusal(const std::string& members) {
    request r(R"({"model":"m",)" + members + "}");
    if (r.outcome) return "taken";
    CHECK(r.outcome.error().kind == error_kind::bad_request);
    CHECK_FALSE(r.outcome.error().param.empty());
    return r.outcome.error().message;
}

std::string with_block(const std::string& block, const std::string& role = "user") {
    return refusal(R"("messages":[{"role":")" + role + R"(","content":[)" + block + "]}]");
}

}  // namespace

TEST_CASE("every option of a request finds its place", "[dialects][anthropic]") {
    request r(R"({"model":"claude-opus-4-6","max_tokens":1024,"stream":true,"temperature":0.10,"top_p":0.9,"top_k":5,
        "stop_sequences":["END","\n\nHuman:"],"service_tier":"standard_only","cache_control":{"type":"ephemeral"},
        "metadata":{"user_id":"u-1"},"thinking":{"type":"enabled","budget_tokens":2048,"display":"omitted"},
        "output_config":{"effort":"max","format":{"type":"json_schema","schema":{"type":"object"}},
            "task_budget":{"type":"tokens","total":20000}},
        "inference_geo":"eu","speed":"fast","container":"c_1","mcp_servers":[],
        "context_management":{"edits":[]},"messages":[{"role":"user","content":"Hi"}]})");
    const conversation& c = read(r);
    CHECK(c.dialect == "anthropic.messages");
    CHECK(c.model == R"("claude-opus-4-6")");
    CHECK(c.stream);
    CHECK(c.sampling.tokens_max == 1024);
    CHECK(c.sampling.temperature == "0.10");
    CHECK(c.sampling.top_p == "0.9");
    CHECK(c.sampling.top_k == "5");
    CHECK(c.sampling.stop == std::vector<json>{R"("END")", R"("\n\nHuman:")"});
    CHECK(c.service_tier == R"("standard_only")");
    CHECK(c.cache_control == R"({"type":"ephemeral"})");
    CHECK(c.user == R"("u-1")");
    CHECK(c.metadata.empty());
    CHECK((c.reasoning.how == reasoning_options::mode::on));
    CHECK(c.reasoning.budget == 2048);
    CHECK(c.reasoning.show == false);
    CHECK(c.reasoning.effort == "max");
    CHECK((c.format.what == response_format::kind::json_schema));
    CHECK(c.format.schema == R"({"type":"object"})");
    std::string extras;
    for (const extra_field& f : c.extras) extras.append(f.key).append(" ");
    CHECK(extras == "output_config.task_budget inference_geo speed container mcp_servers context_management ");
}

TEST_CASE("a system prompt is the first message, as text or as blocks with cache markers", "[dialects][anthropic]") {
    request text(R"({"model":"m","system":"Be brief.","messages":[{"role":"user","content":"Hi"}]})");
    REQUIRE(read(text).messages.size() == 2);
    CHECK((text.c.messages[0] == message{role::system, {{text_part{R"("Be brief.")", {}, {}}}}, {}, {}, {}}));
    request blocks(R"({"model":"m","messages":[{"role":"user","content":"Hi"}],"system":[{"type":"text","text":"a"},
        {"type":"text","text":"b","cache_control":{"type":"ephemeral","ttl":"1h"}}]})");
    const auto& content = read(blocks).messages[0].content;
    REQUIRE(content.size() == 2);
    CHECK(content[1].cache_control == R"({"type":"ephemeral","ttl":"1h"})");
    CHECK(blocks.c.messages[1].who == role::user);
}

TEST_CASE("a turn with thinking, calls and their results keeps every part", "[dialects][anthropic]") {
    request r(R"({"model":"m","messages":[
        {"role":"assistant","content":[
            {"type":"thinking","thinking":"Let me see.","signature":"EqQB"},
            {"type":"redacted_thinking","data":"Eno="},
            {"type":"text","text":"Looking.","citations":null},
            {"type":"tool_use","id":"toolu_1","name":"weather","input":{"city":"Köln"},"caller":{"type":"direct"}}]},
        {"role":"user","content":[
            {"type":"tool_result","tool_use_id":"toolu_1","is_error":true,"content":[
                {"type":"text","text":"no"},
                {"type":"image","source":{"type":"base64","media_type":"image\/png","data":"iVBO"}},
                {"type":"search_result","source":"x","title":"t","content":[]}]},
            {"type":"text","text":"Why?","cache_control":{"type":"ephemeral"}}]}]})");
    const auto& turns = read(r).messages;
    REQUIRE(turns.size() == 2);
    const auto& assistant = turns[0].content;
    REQUIRE(assistant.size() == 4);
    CHECK((assistant[0].value ==
           decltype(part::value){reasoning_part{R"("Let me see.")", "EqQB", {}, {}, false, "anthropic"}}));
    CHECK((assistant[1].value == decltype(part::value){reasoning_part{{}, {}, "Eno=", {}, false, "anthropic"}}));
    CHECK((assistant[2] == part{text_part{R"("Looking.")", {}, {}}}));
    const auto& call = std::get<tool_call>(assistant[3].value);
    CHECK(call.id == R"("toolu_1")");
    CHECK(call.name == R"("weather")");
    CHECK(call.arguments == "{\"city\":\"Köln\"}");
    CHECK((assistant[3].extras == extra_fields{{"caller", R"({"type":"direct"})"}}));
    const auto& answer = std::get<tool_result>(turns[1].content[0].value);
    CHECK(answer.call_id == R"("toolu_1")");
    CHECK(answer.is_error);
    REQUIRE(answer.content.size() == 3);
    const auto& image = std::get<media_part>(answer.content[1].value);
    CHECK(image.mime == "image/png");
    CHECK(image.base64 == "iVBO");
    CHECK(std::get<native_part>(answer.content[2].value).type == "search_result");
    CHECK(turns[1].content[1].cache_control == R"({"type":"ephemeral"})");
}

TEST_CASE("documents come in five forms, one of which only this dialect has", "[dialects][anthropic]") {
    request r(R"({"model":"m","messages":[{"role":"user","content":[
        {"type":"document","title":"A","context":"c","source":{"type":"base64","media_type":"application/pdf","data":"JVBE"}},
        {"type":"document","source":{"type":"url","url":"https://example.com/a.pdf"}},
        {"type":"document","source":{"type":"text","media_type":"text/plain","data":"plain"}},
        {"type":"document","source":{"type":"file","file_id":"file_1"}},
        {"type":"document","source":{"type":"content","content":"x"}},
        {"type":"image","source":{"type":"url","url":"data:image/gif;base64,R0lG"}}]}]})");
    const auto& parts = read(r).messages[0].content;
    REQUIRE(parts.size() == 6);
    const auto& pdf = std::get<media_part>(parts[0].value);
    CHECK(pdf.what == media_kind::document);
    CHECK(pdf.mime == "application/pdf");
    CHECK(pdf.name == R"("A")");
    CHECK((parts[0].extras == extra_fields{{"context", R"("c")"}}));
    CHECK(std::get<media_part>(parts[1].value).url == R"("https://example.com/a.pdf")");
    CHECK(std::get<media_part>(parts[2].value).text == R"("plain")");
    CHECK(std::get<media_part>(parts[3].value).file_id == R"("file_1")");
    CHECK(std::get<media_part>(parts[3].value).from == "anthropic");
    CHECK(std::get<native_part>(parts[4].value).type == "document");
    CHECK(std::get<native_part>(parts[4].value).dialect == "anthropic.messages");
    CHECK(std::get<media_part>(parts[5].value).base64 == "R0lG");
    CHECK(std::get<media_part>(parts[5].value).url.empty());
}

TEST_CASE("blocks of server tools pass whole, also of tools that are yet to come", "[dialects][anthropic]") {
    request r(R"({"model":"m","messages":[{"role":"assistant","content":[
        {"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{"query":"x"}},
        {"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[]},
        {"type":"telescope_tool_result","content":1}]}]})");
    const auto& parts = read(r).messages[0].content;
    REQUIRE(parts.size() == 3);
    CHECK(std::get<native_part>(parts[0].value).value ==
          R"({"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{"query":"x"}})");
    CHECK(std::get<native_part>(parts[2].value).type == "telescope_tool_result");
}

TEST_CASE("tools of the client and of the provider, and the choice among them", "[dialects][anthropic]") {
    request r(R"({"model":"m","messages":[{"role":"user","content":"Hi"}],"tools":[
        {"name":"f","description":"d","input_schema":{"type":"object"},"strict":true,"defer_loading":true,
            "cache_control":{"type":"ephemeral"}},
        {"type":"custom","name":"g","input_schema":{"type":"object"}},
        {"type":"web_search_20250305","name":"web_search","max_uses":3}],
        "tool_choice":{"type":"tool","name":"f","disable_parallel_tool_use":true}})");
    const conversation& c = read(r);
    REQUIRE(c.tools.size() == 3);
    CHECK(c.tools[0].name == R"("f")");
    CHECK(c.tools[0].parameters == R"({"type":"object"})");
    CHECK(c.tools[0].strict == "true");
    CHECK(c.tools[0].cache_control == R"({"type":"ephemeral"})");
    CHECK((c.tools[0].extras == extra_fields{{"defer_loading", "true"}}));
    CHECK((c.tools[1].what == tool::kind::function));
    CHECK(c.tools[1].extras.empty());
    CHECK((c.tools[2].what == tool::kind::native));
    CHECK(c.tools[2].definition == R"({"type":"web_search_20250305","name":"web_search","max_uses":3})");
    CHECK((c.choice.how == tool_choice::mode::named));
    CHECK(c.choice.name == R"("f")");
    CHECK(c.choice.parallel == false);
}

TEST_CASE("reasoning of another provider is known by its tag and goes back to its maker", "[dialects][anthropic]") {
    request r(R"({"model":"m","messages":[{"role":"assistant","content":[
        {"type":"thinking","thinking":"t","signature":"gemini:CsQ="},
        {"type":"thinking","thinking":"s","signature":"openai:rs_1:gAAA"},
        {"type":"redacted_thinking","data":"openai:rs_2:gBBB"},
        {"type":"thinking","thinking":"bare","signature":""}]}]})");
    const auto& parts = read(r).messages[0].content;
    CHECK((std::get<reasoning_part>(parts[0].value) == reasoning_part{R"("t")", "CsQ=", {}, {}, false, "gemini"}));
    CHECK((std::get<reasoning_part>(parts[1].value) ==
           reasoning_part{R"("s")", {}, "gAAA", R"("rs_1")", true, "openai"}));
    CHECK((std::get<reasoning_part>(parts[2].value) == reasoning_part{{}, {}, "gBBB", R"("rs_2")", false, "openai"}));
    CHECK((std::get<reasoning_part>(parts[3].value) == reasoning_part{R"("bare")", {}, {}, {}, false, {}}));
}

TEST_CASE("the signature of another provider is put on its call again", "[dialects][anthropic]") {
    request r(R"({"model":"m","messages":[{"role":"assistant","content":[
        {"type":"tool_use","id":"a","name":"f","input":{}},{"type":"redacted_thinking","data":"gemini:call:CsQ="},
        {"type":"text","text":"t"},{"type":"redacted_thinking","data":"gemini:call:CsR="}]}]})");
    const auto& parts = read(r).messages[0].content;
    REQUIRE(parts.size() == 3);
    CHECK(std::get<tool_call>(parts[0].value).signature == "CsQ=");
    CHECK(std::get<tool_call>(parts[0].value).signed_by == "gemini");
    CHECK(std::get<reasoning_part>(parts[2].value).encrypted == "call:CsR=");
    const written w = write(r.c);
    CHECK(w.dropped == std::vector<std::string>{"messages[0].content[2]"});
}

TEST_CASE("a conversation that the server should keep is refused, from its first turn", "[dialects][anthropic]") {
    const std::string messages = R"("messages":[{"role":"user","content":"Hi"}])";
    for (const std::string thread : {R"({"type":"create"})", R"({"type":"continue","previous_message_id":"msg_1"})"}) {
        request r(R"({"model":"m",)" + messages + R"(,"thread":)" + thread + "}");
        REQUIRE(r.outcome.has_error());
        CHECK(r.outcome.error().param == "thread");
    }
    CHECK(refusal(messages + R"(,"thread":null)") == "taken");
}

TEST_CASE("a wrong type is refused by the name the client gave it", "[dialects][anthropic]") {
    const std::string ok = R"("messages":[{"role":"user","content":"Hi"}])";
    CHECK(refusal("\"max_tokens\":1") == "messages is required.");
    CHECK(refusal(R"("messages":{})") == "messages must be an array.");
    CHECK(refusal(R"("messages":[])") == "messages must hold at least one message.");
    CHECK(refusal(R"("messages":[1])") == "messages[0] must be an object.");
    CHECK(refusal(R"("messages":[{"role":"tool","content":"x"}])") ==
          "messages[0].role must be user, assistant or system.");
    CHECK(refusal(R"("messages":[{"role":"user"}])") == "messages[0].content is required.");
    CHECK(refusal(R"("messages":[{"role":"user","content":1}])") ==
          "messages[0].content must be a string or an array.");
    CHECK(with_block("{}") == "messages[0].content[0].type is required.");
    CHECK(with_block(R"({"type":"text","text":1})") == "messages[0].content[0].text must be a string.");
    CHECK(with_block(R"({"type":"audio"})") ==
          "messages[0].content[0].type is not a type of block that is known here.");
    CHECK(with_block(R"({"type":"image","source":{"type":"s3"}})") ==
          "messages[0].content[0].source.type must be base64, url or file.");
    CHECK(with_block(R"({"type":"tool_use","id":"a","name":"b","input":"{}"})", "assistant") ==
          "messages[0].content[0].input must be an object.");
    CHECK(with_block(R"({"type":"tool_use","id":"a","name":"b","input":{}})") ==
          "messages[0].content[0].type is not allowed in a message of this role.");
    CHECK(with_block(R"({"type":"tool_result","tool_use_id":"a","content":[{"type":"text"}]})") ==
          "messages[0].content[0].content[0].text is required.");
    CHECK(refusal(ok + R"(,"max_tokens":1.5)") == "max_tokens must be an integer.");
    CHECK(refusal(ok + R"(,"max_tokens":-1)") == "max_tokens must not be negative.");
    CHECK(refusal(ok + R"(,"stream":"yes")") == "stream must be true or false.");
    CHECK(refusal(ok + R"(,"temperature":"1")") == "temperature must be a number.");
    CHECK(refusal(ok + R"(,"stop_sequences":["a",2])") == "stop_sequences[1] must be a string.");
    CHECK(refusal(ok + R"(,"system":[{"type":"image"}])") ==
          "system[0].type is not allowed in a message of this role.");
    CHECK(refusal(ok + R"(,"tools":[{"name":"f"}])") == "tools[0].input_schema is required.");
    CHECK(refusal(ok + R"(,"tool_choice":{"type":"all"})") == "tool_choice.type must be auto, any, tool or none.");
    CHECK(refusal(ok + R"(,"thinking":{"type":"enabled"})") == "thinking.budget_tokens is required.");
    CHECK(refusal(ok + R"(,"thinking":{"type":"on"})") ==
          "thinking.type must be enabled, adaptive, disabled or between_tools.");
    CHECK(refusal(ok + R"(,"output_config":{"format":{"type":"json"}})") ==
          "output_config.format.type must be json_schema.");
    CHECK(refusal(ok + R"(,"metadata":{"user_id":7})") == "metadata.user_id must be a string.");
    request duplicate(R"({"model":"m","messages":[{"role":"user","role":"assistant","content":"x"}]})");
    REQUIRE_FALSE(duplicate.outcome.has_value());
    CHECK(duplicate.outcome.error().param == "messages[0]");
}

TEST_CASE("a request has at most 65,536 messages", "[dialects][anthropic]") {
    std::string messages = R"("messages":[)";
    for (int i = 0; i < 65'536; ++i) messages += R"({"role":"user","content":""},)";
    const std::string one_more = messages + R"({"role":"user","content":""}])";
    CHECK(refusal(one_more) == "messages has more than 65536 elements.");
    messages.back() = ']';
    CHECK(refusal(messages) == "taken");
}

TEST_CASE("the model may stand in the path instead", "[dialects][anthropic]") {
    const std::string body = R"({"messages":[{"role":"user","content":"Hi"}]})";
    CHECK_FALSE(request(body).outcome.has_value());
    client_call call;
    call.model = "m";
    CHECK(request(body, call).outcome.has_value());
}

TEST_CASE("max_tokens may be missing where tokens are counted, and nowhere else", "[dialects][anthropic]") {
    request r(R"({"model":"m","messages":[{"role":"user","content":"Hi"}]})");
    CHECK_FALSE(read(r).sampling.tokens_max.has_value());
    const auto without = json_object::parse(*r.body);
    REQUIRE(without.has_value());
    const auto asked = require_max_tokens(*without);
    REQUIRE_FALSE(asked.has_value());
    CHECK(asked.error().param == "max_tokens");
    const std::string with = R"({"max_tokens":5})";
    CHECK(require_max_tokens(*json_object::parse(with)).has_value());
}
