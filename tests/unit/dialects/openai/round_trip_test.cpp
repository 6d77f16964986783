#include "support.hpp"

using namespace sluice;
using namespace sluice::chat;
using namespace sluice::chat::openai;
using namespace sluice::chat::openai::test;

namespace {

// A server that takes everything back.
constexpr chat_quirks all{.history = chat_quirks::reasoning::content, .top_k = true, .cache_control = true};

void check_same(const conversation& a, const conversation& b) {
    CHECK((a.messages == b.messages));
    CHECK((a.tools == b.tools));
    CHECK((a.choice == b.choice));
    CHECK((a.format == b.format));
    CHECK((a.reasoning == b.reasoning));
    CHECK((a.sampling == b.sampling));
    CHECK((a.stream == b.stream && a.user == b.user && a.metadata == b.metadata));
    CHECK((a.service_tier == b.service_tier && a.prompt_cache_key == b.prompt_cache_key));
    CHECK((a.verbosity == b.verbosity && a.modalities == b.modalities && a.audio == b.audio));
    CHECK((a.extras == b.extras));
}

}  // namespace

TEST_CASE("a request that was written is read as the same conversation", "[dialects][openai]") {
    const std::string marker = R"("cache_control":{"type":"ephemeral","ttl":"1h"})";
    const std::string requests[] = {
        messages(R"({"role":"user","content":"Hi \u00f6 \ud83d\ude00"})"),
        messages(R"({"role":"system","content":"S"},{"role":"developer","content":"D","name":"n"},)"
                 R"({"role":"user","content":""},{"role":"assistant","content":""})"),
        messages(R"({"role":"user","content":[{"type":"text","text":"a","x":[1]},{"type":"text","text":"b"},)"
                 R"({"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"high"}},)"
                 R"({"type":"image_url","image_url":{"url":"https:\/\/x"}},)"
                 R"({"type":"input_audio","input_audio":{"data":"BBBB","format":"mp3"}},)"
                 R"({"type":"input_audio","input_audio":{"data":"BBBB","format":"wav"}},)"
                 R"({"type":"file","file":{"file_data":"data:application/pdf;base64,CC","filename":"a.pdf"}},)"
                 R"({"type":"file","file":{"file_id":"f","filename":"b"}},)"
                 R"({"type":"video_url","video_url":{"url":"https://v"}}]})"),
        messages(
            R"({"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function",)"
            R"("function":{"name":"f","arguments":"{\"x\":1}"},"extra_content":{"google":{"thought_signature":"C"}}},)"
            R"({"id":"b","type":"custom","custom":{"name":"g","input":"free \" text"},"y":2},)"
            R"({"id":"c","type":"function","function":{"name":"h","arguments":""}}]},)"
            R"({"role":"tool","tool_call_id":"a","content":"1"},)"
            R"({"role":"tool","tool_call_id":"b","name":"g","content":[{"type":"text","text":"2"},)"
            R"({"type":"text","text":"3","z":null,"w":0}]},{"role":"tool","tool_call_id":"c","content":"","v":1})"),
        messages(
            R"({"role":"assistant","content":"x","reasoning_content":"hm"},)"
            R"({"role":"assistant","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}],"refusal":"No"})"),
        messages(R"({"role":"system","content":[{"type":"text","text":"S",)" + marker +
                 R"(}]},{"role":"user","content":[{"type":"text","text":"a",)" + marker +
                 R"(},{"type":"text","text":"b"}]},{"role":"assistant","content":null,"tool_calls":[{"id":"a",)"
                 R"("type":"function","function":{"name":"f","arguments":"{}"}}],)" +
                 marker + R"(},{"role":"tool","tool_call_id":"a","content":[{"type":"text","text":"1",)" + marker +
                 "}]}"),
        R"({"messages":[],"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{},)"
        R"("strict":false},)" +
            marker +
            R"(},{"type":"custom","custom":{"name":"g","format":{"type":"grammar","grammar":{"syntax":"lark"}}}},)"
            R"({"type":"web_search","x":1}],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[)"
            R"({"type":"custom","custom":{"name":"g"}},{"type":"function","function":{"name":"f"}}]}},)"
            R"("parallel_tool_calls":true})",
        R"({"messages":[],"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":{"type":"function",)"
        R"("function":{"name":"f"}},"response_format":{"type":"json_schema","json_schema":{"name":"n","description":"d",)"
        R"("schema":{"type":"object"},"strict":true}},"reasoning_effort":"xhigh"})",
        R"({"messages":[],"response_format":{"type":"text"},"temperature":0.70,"top_p":1e-1,"top_k":40,"min_p":0.1,)"
        R"("presence_penalty":0,"frequency_penalty":2,"repetition_penalty":1.10,"seed":7,"logprobs":true,)"
        R"("top_logprobs":3,"logit_bias":{"1":-100},"n":2,"stop":["a"],"max_tokens":5,"user":"u","metadata":{"k":"v"},)"
        R"("service_tier":"flex","prompt_cache_key":"p","verbosity":"low","modalities":["text","audio"],)"
        R"("audio":{"voice":"v"},"stream":true,"store":false,"prediction":{"type":"content"},"unheard_of":[1]})",
        R"({"messages":[],"response_format":{"type":"json_object"},"reasoning_effort":"none"})",
    };
    for (const std::string& text : requests) {
        INFO(text);
        request first(text);
        const auto once = write(read(first), all);
        CHECK(once.refused.message.empty());
        CHECK(once.dropped.empty());
        request second(once.text);
        check_same(first.c, read(second));
        CHECK(write(second.c, all).text == once.text);
    }
}
