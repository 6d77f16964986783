#include "support.hpp"

#include <string>

using namespace sluice;
using namespace sluice::chat;
using namespace sluice::chat::anthropic;
using namespace sluice::chat::anthropic::test;

namespace {

// What a client of this dialect asks, written for Anthropic and read again, is the same conversation.
void check_round_trip(const std::string& members, std::string_view model = "claude-opus-4-6") {
    request first(R"({"model":")" + std::string(model) + R"(","max_tokens":64000,)" + members + "}");
    const conversation& c = read(first);
    const written w = write(c, model);
    INFO(w.text);
    CHECK(w.dropped.empty());
    request second(w.text);
    const conversation& again = read(second);
    CHECK(again.model == c.model);
    CHECK((again.messages == c.messages));
    CHECK((again.tools == c.tools));
    CHECK((again.choice == c.choice));
    CHECK((again.format == c.format));
    CHECK((again.reasoning == c.reasoning));
    CHECK((again.sampling == c.sampling));
    CHECK(again.stream == c.stream);
    CHECK(again.user == c.user);
    CHECK(again.metadata == c.metadata);
    CHECK(again.service_tier == c.service_tier);
    CHECK(again.cache_control == c.cache_control);
    CHECK((again.extras == c.extras));
    CHECK(write(again, model).text == w.text);
}

}  // namespace

TEST_CASE("what a client asks in this dialect is asked again word for word", "[dialects][anthropic]") {
    const std::string hi = R"("messages":[{"role":"user","content":"Hi"}])";
    check_round_trip(hi);
    check_round_trip(hi + R"(,"system":"s","stream":true,"temperature":0.10,"top_k":5,"stop_sequences":["END"])");
    check_round_trip(hi + R"(,"system":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}},
        {"type":"text","text":"b","x":1}])");
    check_round_trip(hi + R"(,"metadata":{"user_id":"u"},"service_tier":"auto","cache_control":{"type":"ephemeral"},
        "container":{"id":"c","skills":[]},"mcp_servers":[{"type":"url","url":"https://x","name":"n"}],
        "context_management":{"edits":[]},"inference_geo":"us","speed":"fast","fallbacks":"default")");
    check_round_trip(hi + R"(,"metadata":{"user_id":"u","trace":"t"})");
    check_round_trip(hi + R"(,"output_config":{"effort":"medium","task_budget":{"type":"tokens","total":1},
        "format":{"type":"json_schema","schema":{"type":"object","properties":{}}}})");
}

TEST_CASE("all ways to ask for thinking come back", "[dialects][anthropic]") {
    const std::string hi = R"("messages":[{"role":"user","content":"Hi"}])";
    check_round_trip(hi + R"(,"thinking":{"type":"adaptive"})");
    check_round_trip(hi + R"(,"thinking":{"type":"adaptive","display":"summarized"},"output_config":{"effort":"max"})");
    check_round_trip(hi + R"(,"thinking":{"type":"enabled","budget_tokens":4096,"block_binding":"x"})");
    check_round_trip(hi + R"(,"thinking":{"type":"enabled","budget_tokens":4096,"display":"omitted"})",
                     "claude-sonnet-4-5");
    check_round_trip(hi + R"(,"thinking":{"type":"enabled","budget_tokens":4096},"output_config":{"effort":"low"})",
                     "claude-opus-4-5");
    check_round_trip(hi + R"(,"thinking":{"type":"adaptive","display":"updates"})", "claude-opus-5-5");
    check_round_trip(hi + R"(,"thinking":{"type":"disabled"})");
    check_round_trip(hi + R"(,"thinking":{"type":"between_tools"})", "claude-sonnet-5-5");
    check_round_trip(hi + R"(,"output_config":{"effort":"xhigh"})", "claude-opus-4-8");
    check_round_trip(hi + R"(,"thinking":{"type":"adaptive"},"output_config":{"effort":"high"})", "kimi-k3");
}

TEST_CASE("tools and their choice come back", "[dialects][anthropic]") {
    const std::string hi = R"("messages":[{"role":"user","content":"Hi"}])";
    const std::string tools = R"(,"tools":[{"name":"f","description":"d","input_schema":{"type":"object"},
        "strict":false,"cache_control":{"type":"ephemeral"},"input_examples":[{}],"allowed_callers":["direct"]},
        {"type":"bash_20250124","name":"bash"},{"type":"mcp_toolset","mcp_server_name":"x"}])";
    check_round_trip(hi + tools);
    check_round_trip(hi + tools + R"(,"tool_choice":{"type":"auto","disable_parallel_tool_use":false})");
    check_round_trip(hi + tools + R"(,"tool_choice":{"type":"any"})");
    check_round_trip(hi + tools + R"(,"tool_choice":{"type":"none"})");
    check_round_trip(hi + tools +
                     R"(,"tool_choice":{"type":"tool","name":"f","disable_parallel_tool_use":true,"x":1})");
}

TEST_CASE("all blocks come back, where they stood", "[dialects][anthropic]") {
    check_round_trip(R"("messages":[{"role":"user","content":[
        {"type":"text","text":"K\u00f6ln","cache_control":{"type":"ephemeral","ttl":"1h"}},
        {"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBO"}},
        {"type":"image","source":{"type":"url","url":"https://example.com/a.png"}},
        {"type":"image","source":{"type":"file","file_id":"file_1"},"cache_control":{"type":"ephemeral"}},
        {"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBE","x":1},"title":"t",
            "context":"c","citations":{"enabled":true}},
        {"type":"document","source":{"type":"text","media_type":"text/plain","data":"d"}},
        {"type":"document","source":{"type":"content","content":[{"type":"text","text":"d"}]}},
        {"type":"search_result","source":"s","title":"t","content":[{"type":"text","text":"c"}]},
        {"type":"container_upload","file_id":"file_2"}]}])");
    check_round_trip(R"("messages":[{"role":"user","content":"Hi"},
        {"role":"assistant","content":[
            {"type":"thinking","thinking":"Let me see.","signature":"EqQB"},
            {"type":"tool_use","id":"toolu_1","name":"f","input":{"a":[1,2]},"caller":{"type":"direct"}},
            {"type":"thinking","thinking":"","signature":"EqQC"},
            {"type":"redacted_thinking","data":"Eno="},
            {"type":"tool_use","id":"toolu_2","name":"g","input":{}}]},
        {"role":"user","content":[
            {"type":"tool_result","tool_use_id":"toolu_1","content":"plain"},
            {"type":"tool_result","tool_use_id":"toolu_2","is_error":true,"cache_control":{"type":"ephemeral"},"content":[
                {"type":"text","text":"no"},{"type":"image","source":{"type":"base64","media_type":"image/webp","data":"UklG"}},
                {"type":"document","source":{"type":"text","media_type":"text/plain","data":"d"}},
                {"type":"tool_reference","tool_name":"h"}]},
            {"type":"text","text":"Go on"}]}])");
    check_round_trip(R"("messages":[{"role":"user","content":"Hi"},
        {"role":"assistant","content":[
            {"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{"query":"x"}},
            {"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[]},
            {"type":"text","text":"Found.","citations":[{"type":"web_search_result_location","url":"u","cited_text":"c"}]}]},
        {"role":"user","content":"More"}])");
    check_round_trip(
        R"("system":"a","messages":[{"role":"user","content":"Hi"},{"role":"system","content":"Be brief now."},
        {"role":"assistant","content":"Ok","output_config":{"effort":"low"}},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"x"}]}])");
}
