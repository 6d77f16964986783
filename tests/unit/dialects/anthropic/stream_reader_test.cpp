#include "stream_support.hpp"

using namespace sluice;
using namespace sluice::chat;
using namespace sluice::chat::anthropic;
using namespace sluice::chat::anthropic::test;
using strings = std::vector<std::string>;

namespace {

const std::string start_event =
    R"({"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","content":[],)"
    R"("model":"claude-opus-4-6","stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":25,)"
    R"("cache_creation_input_tokens":5,"cache_read_input_tokens":100,"output_tokens":1}}})";
const std::string start_step = R"(start id="msg_1" model="claude-opus-4-6" in=130 out=1 cached=100 written=5)";
const std::string stop_event = R"({"type":"message_stop"})";

std::string message_delta(const std::string& reason) {
    return R"({"type":"message_delta","delta":{"stop_reason":")" + reason +
           R"(","stop_sequence":null},"usage":{"output_tokens":15}})";
}
const std::string usage_step = "usage in=130 out=15 cached=100 written=5";

std::string block_start(int index, const std::string& block) {
    return R"({"type":"content_block_start","index":)" + std::to_string(index) + R"(,"content_block":)" + block + "}";
}
std::string block_delta(int index, const std::string& delta) {
    return R"({"type":"content_block_delta","index":)" + std::to_string(index) + R"(,"delta":)" + delta + "}";
}
std::string block_stop(int index) {
    return R"({"type":"content_block_stop","index":)" + std::to_string(index) + "}";
}

// The same steps wherever the stream is cut.
reading read_everywhere(const strings& events) {
    const std::string stream = sse_of(events);
    const reading whole = read_sse(stream);
    for (std::size_t cut = 1; cut < stream.size(); ++cut) {
        if (read_sse(stream, cut) != whole) FAIL("differs when cut at " << cut);
    }
    return whole;
}

// Between a start and a good end.
reading read_within(strings events, const std::string& reason = "end_turn") {
    events.insert(events.begin(), start_event);
    events.push_back(message_delta(reason));
    events.push_back(stop_event);
    return read_everywhere(events);
}

}  // namespace

TEST_CASE("a streamed text is read to its end", "[dialects][anthropic]") {
    const reading r = read_everywhere({start_event, block_start(0, R"({"type":"text","text":""})"),
                                       R"({"type": "ping"})", block_delta(0, R"({"type":"text_delta","text":"Hel"})"),
                                       block_delta(0, R"({"type":"text_delta","text":"lo \u00f6\n"})"), block_stop(0),
                                       message_delta("end_turn"), stop_event});
    CHECK(r.error.empty());
    CHECK(r.repairs == 0);
    CHECK(r.steps == strings{start_step, "part 0 text", "ping", R"(delta 0 "Hel")", R"(delta 0 "lo \u00f6\n")", "end 0",
                             "finish 1", usage_step, "whole"});
}

TEST_CASE("thinking comes with its signature, hidden thinking whole", "[dialects][anthropic]") {
    const reading r = read_within({block_start(0, R"({"type":"thinking","thinking":"","signature":""})"),
                                   block_delta(0, R"({"type":"thinking_delta","thinking":"Let me"})"),
                                   block_delta(0, R"({"type":"signature_delta","signature":"EqQB"})"), block_stop(0),
                                   block_start(1, R"({"type":"redacted_thinking","data":"EmwK"})"), block_stop(1),
                                   block_start(2, R"({"type":"text","text":"early"})"), block_stop(2)});
    CHECK(r.steps == strings{start_step, "part 0 reasoning", R"(delta 0 "Let me")",
                             "end 0 signature=EqQB from=anthropic", "part 1 reasoning",
                             "end 1 encrypted=EmwK from=anthropic", "part 2 text", R"(delta 2 "early")", "end 2",
                             "finish 1", usage_step, "whole"});
}

TEST_CASE("calls of tools come in pieces, without arguments, or all at once", "[dialects][anthropic]") {
    const reading r = read_within(
        {block_start(0, R"({"type":"tool_use","id":"toolu_1","name":"f","input":{}})"),
         block_delta(0, R"({"type":"input_json_delta","partial_json":""})"),
         block_delta(0, R"({"type":"input_json_delta","partial_json":"{\"a\":"})"),
         block_delta(0, R"({"type":"input_json_delta","partial_json":"1}"})"), block_stop(0),
         block_start(1, R"({"type":"tool_use","id":"toolu_2","name":"g","input":{}})"), block_stop(1),
         block_start(2, R"({"type":"tool_use","id":"toolu_3","name":"h","input":{"b":"c"}})"), block_stop(2)},
        "tool_use");
    CHECK(r.steps == strings{start_step, R"(part 0 call id="toolu_1" name="f")", R"(delta 0 "{\"a\":")",
                             R"(delta 0 "1}")", "end 0", R"(part 1 call id="toolu_2" name="g")", R"(delta 1 "{}")",
                             "end 1", R"(part 2 call id="toolu_3" name="h")", R"(delta 2 "{\"b\":\"c\"}")", "end 2",
                             "finish 5", usage_step, "whole"});
}

TEST_CASE("blocks of server tools are whole parts with their input", "[dialects][anthropic]") {
    const reading r = read_within(
        {block_start(0, R"({"type":"server_tool_use","id":"s1","name":"web_search","input":{}})"),
         block_delta(0, R"({"type":"input_json_delta","partial_json":"{\"query\":"})"),
         block_delta(0, R"({"type":"input_json_delta","partial_json":"\"x\"}"})"), block_stop(0),
         block_start(1, R"({"type":"web_search_tool_result","tool_use_id":"s1","content":[{"a":1}]})"), block_stop(1),
         block_start(2, R"({"type":"text","text":""})"), block_delta(2, R"({"type":"text_delta","text":"T"})"),
         block_delta(2, R"({"type":"citations_delta","citation":{"type":"w","n":1}})"),
         block_delta(2, R"({"type":"citations_delta","citation":{"type":"w","n":2}})"), block_stop(2),
         block_start(3, R"({"type":"compaction","content":null})"),
         block_delta(3, R"({"type":"compaction_delta","content":"Sum\n","encrypted_content":"enc"})"), block_stop(3)});
    CHECK(r.repairs == 0);
    CHECK(r.steps ==
          strings{start_step,
                  R"(part 0 whole {"type":"server_tool_use","id":"s1","name":"web_search","input":{"query":"x"}})",
                  "end 0", R"(part 1 whole {"type":"web_search_tool_result","tool_use_id":"s1","content":[{"a":1}]})",
                  "end 1", "part 2 text", R"(delta 2 "T")",
                  R"(end 2 citations=[{"type":"w","n":1},{"type":"w","n":2}] from=anthropic)",
                  R"(part 3 whole {"type":"compaction","content":"Sum\n","encrypted_content":"enc"})", "end 3",
                  "finish 1", usage_step, "whole"});
}

TEST_CASE("an error in a stream is its end", "[dialects][anthropic]") {
    const reading r =
        read_everywhere({start_event, block_start(0, R"({"type":"text","text":""})"),
                         R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})", stop_event});
    CHECK(r.steps == strings{start_step, "part 0 text", R"(failure type="overloaded_error" message="Overloaded")"});
    CHECK(r.error.empty());
}

TEST_CASE("so is an error in the form of other servers", "[dialects][anthropic]") {
    replay all(messages_upstream().read_stream());
    all.event("", start_event);
    all.event("", R"({"error":{"message":"no","type":"server_error"}})");
    CHECK(all.finish().steps == strings{start_step, R"(failure type="server_error" message="no")"});
}

TEST_CASE("a stream that breaks off never ends well", "[dialects][anthropic]") {
    const std::string stream = sse_of({start_event, block_start(0, R"({"type":"text","text":""})"),
                                       block_delta(0, R"({"type":"text_delta","text":"Hi"})"), block_stop(0),
                                       message_delta("end_turn"), stop_event});
    for (std::size_t size = 0; size < stream.size(); ++size) {
        const reading r = read_sse(stream.substr(0, size));
        if (r.error.find("upstream_reset") == std::string::npos) FAIL("taken for whole at " << size << ": " << r.error);
        if (!r.steps.empty() && r.steps.back() == "whole") FAIL("ends well at " << size);
    }
    CHECK(read_sse(stream).error.empty());
}

TEST_CASE("events that came twice or not at all are made good and counted", "[dialects][anthropic]") {
    const reading r = read_everywhere({start_event, start_event, block_start(0, R"({"type":"text","text":"a"})"),
                                       block_start(0, R"({"type":"text","text":"b"})"),
                                       block_delta(7, R"({"type":"text_delta","text":"c"})"), block_stop(9),
                                       message_delta("end_turn"), message_delta("end_turn"), stop_event});
    CHECK(r.error.empty());
    CHECK(r.steps == strings{start_step, "part 0 text", R"(delta 0 "a")", "end 0", "part 1 text", R"(delta 1 "b")",
                             "part 2 text", R"(delta 2 "c")", "end 1", "end 2", "finish 1", usage_step, usage_step,
                             "whole"});
    CHECK(r.repairs == 7);
    const reading bare = read_everywhere({block_start(0, R"({"type":"text","text":"a"})"), stop_event});
    CHECK(bare.steps ==
          strings{"start in=-1 out=-1 cached=-1 written=-1", "part 0 text", R"(delta 0 "a")", "end 0", "whole"});
    CHECK(bare.repairs == 2);
}

TEST_CASE("events of versions to come are passed over", "[dialects][anthropic]") {
    const reading r = read_within({R"({"type":"telemetry","x":1})", block_start(0, R"({"type":"text","text":""})"),
                                   block_delta(0, R"({"type":"mood_delta","mood":"good"})"), block_stop(0)});
    CHECK(r.error.empty());
    CHECK(r.repairs == 0);
    CHECK(r.steps == strings{start_step, "part 0 text", "end 0", "finish 1", usage_step, "whole"});
}

TEST_CASE("what is no event of this dialect is the upstream's fault", "[dialects][anthropic]") {
    for (const std::string& event :
         {std::string("{"), std::string("[DONE]"), std::string("{}"), std::string(R"({"type":1})"),
          block_start(0, "{}"), block_delta(0, R"({"type":"input_json_delta","partial_json":"x"})")}) {
        replay all(messages_upstream().read_stream());
        all.event("x", start_event);
        all.event("x", event);
        const reading r = all.finish();
        INFO(event);
        CHECK(r.error.find("upstream_protocol") == 0);
        CHECK(r.error.find(event) != std::string::npos);
    }
    replay late(messages_upstream().read_stream());
    for (const std::string& e :
         {start_event, message_delta("end_turn"), block_start(0, R"({"type":"text","text":""})")})
        late.event("", e);
    CHECK(late.finish().error.find("goes on behind its end") != std::string::npos);
}

TEST_CASE("the usage at the end is that of the beginning with what is new", "[dialects][anthropic]") {
    const reading r = read_everywhere(
        {start_event,
         R"({"type":"message_delta","delta":{"stop_reason":"max_tokens"},"usage":{"input_tokens":30,"output_tokens":9,)"
         R"("cache_read_input_tokens":null,"server_tool_use":{"web_search_requests":1}}})",
         stop_event});
    CHECK(r.steps == strings{start_step, "finish 3", "usage in=135 out=9 cached=100 written=5", "whole"});
}

TEST_CASE("a stop text that was met is told", "[dialects][anthropic]") {
    const reading r = read_everywhere(
        {start_event, R"({"type":"message_delta","delta":{"stop_reason":"stop_sequence","stop_sequence":"END"}})",
         stop_event});
    CHECK(r.steps == strings{start_step, R"(finish 2 stop="END")", "whole"});
}

TEST_CASE("Bedrock's payloads hold the same events in base64", "[dialects][anthropic]") {
    replay all(bedrock_invoke_upstream().read_stream());
    // {"type":"message_start","message":{"id":"msg_1","model":"m","usage":{"input_tokens":3,"output_tokens":1}}}
    all.event(
        "chunk",
        R"({"bytes":"eyJ0eXBlIjoibWVzc2FnZV9zdGFydCIsIm1lc3NhZ2UiOnsiaWQiOiJtc2dfMSIsIm1vZGVsIjoibSIsInVzYWdlIjp7)"
        R"(ImlucHV0X3Rva2VucyI6Mywib3V0cHV0X3Rva2VucyI6MX19fQ==","p":"abcd"})");
    all.event("chunk", R"({"bytes":"eyJ0eXBlIjoibWVzc2FnZV9zdG9wIn0="})");  // {"type":"message_stop"}
    const reading r = all.finish();
    CHECK(r.error.empty());
    CHECK(r.steps == strings{R"(start id="msg_1" model="m" in=3 out=1 cached=-1 written=-1)", "whole"});

    replay failed(bedrock_invoke_upstream().read_stream());
    failed.event("throttlingException", R"({"message":"Slow down"})");
    CHECK(failed.finish().steps == strings{R"(failure type="throttlingException" message="Slow down")"});
    for (const std::string_view payload : {R"({"bytes":"!"})", R"({"bytes":"eyJ"})", R"({"other":1})", "x"}) {
        replay broken(bedrock_invoke_upstream().read_stream());
        broken.event("chunk", payload);
        INFO(payload);
        CHECK(broken.finish().error.find("upstream_protocol") == 0);
    }
}

TEST_CASE("what is gathered of blocks is bounded", "[dialects][anthropic]") {
    replay all(messages_upstream().read_stream());
    all.event("", start_event);
    all.event("", block_start(0, R"({"type":"thinking","thinking":"","signature":""})"));
    const std::string piece =
        block_delta(0, R"({"type":"signature_delta","signature":")" + std::string(1 << 20, 'A') + "\"}");
    for (int i = 0; i < 9; ++i) all.event("", piece);
    CHECK(all.finish().error.find("gathers more than 8 MiB") != std::string::npos);
    replay many(messages_upstream().read_stream());
    for (int i = 0; i < 129; ++i) many.event("", block_start(i, R"({"type":"text","text":""})"));
    CHECK(many.finish().error.find("holds too many blocks") != std::string::npos);
}
