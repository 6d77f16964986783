#include "stream_support.hpp"

#include <cstring>

using namespace sluice;
using namespace sluice::chat;
using namespace sluice::chat::anthropic;
using namespace sluice::chat::anthropic::test;
using kind = stream_step::kind;
using type = stream_step::part_type;

namespace {

// Steps whose texts die once they were written, as those of a reader do.
class script {
public:
    script() {
        client_call call;
        call.model = "public";
        call.request_id = "r1";
        writer_ = messages_client().write_stream(call);
    }

    void start(json id = R"("msg_1")", json model = R"("up")") {
        step(kind::start, [&](stream_step& s) {
            s.id = hold(id);
            s.name = hold(model);
            s.usage.input = 130;
            s.usage.cached_input = 100;
            s.usage.cache_write = 5;
            s.usage.output = 1;
        });
    }
    void begin(std::int32_t part, type t, json id = {}, json name = {}) {
        step(kind::part_start, [&](stream_step& s) {
            s.part = part;
            s.type = t;
            s.id = hold(id);
            s.name = hold(name);
        });
    }
    void whole(std::int32_t part, const chat::part& p) {
        step(kind::part_start, [&](stream_step& s) {
            s.part = part;
            s.type = type::whole;
            s.whole = &p;
        });
    }
    void delta(std::int32_t part, json text) {
        step(kind::delta, [&](stream_step& s) {
            s.part = part;
            s.text = hold(text);
        });
    }
    template <class F = void (*)(stream_step&)>
    void end(std::int32_t part, F set = [](stream_step&) {}) {
        step(kind::part_end, [&](stream_step& s) {
            s.part = part;
            set(s);
        });
    }
    void finish(finish_reason why, json stop = {}) {
        step(kind::finish, [&](stream_step& s) {
            s.why = why;
            s.stop_sequence = hold(stop);
        });
    }
    void usage() {
        step(kind::usage, [](stream_step& s) {
            s.usage.input = 130;
            s.usage.cached_input = 100;
            s.usage.cache_write = 5;
            s.usage.output = 15;
        });
    }
    void end_of_stream() {
        step(kind::end, [](stream_step&) {});
    }
    template <class F>
    void step(kind what, F set) {
        stream_step s;
        s.what = what;
        set(s);
        writer_->write(s, out_);
        held_.clear();
    }

    // What was written since the last time, as data of events with a line end between. Each event is well-formed and
    // named after its type.
    std::string take() {
        std::string text;
        http::sse_reader sse;
        http::sse_event e;
        sse.feed(out_);
        while (sse.next(e)) {
            CHECK(validate_json(e.data).has_value());
            const std::string named = R"({"type":")" + std::string(e.name) + "\"";
            CHECK(e.data.starts_with(named));
            text.append(e.data).append("\n");
        }
        CHECK(sse.rest().empty());
        out_.clear();
        return text;
    }

private:
    json hold(json text) { return *held_.emplace_back(std::make_unique<std::string>(text)); }
    std::unique_ptr<stream_writer> writer_;
    std::vector<std::unique_ptr<std::string>> held_;
    std::string out_;
};

std::string started(int index, std::string_view block) {
    return R"({"type":"content_block_start","index":)" + std::to_string(index) + R"(,"content_block":)" +
           std::string(block) + "}\n";
}
std::string said(int index, std::string_view delta) {
    return R"({"type":"content_block_delta","index":)" + std::to_string(index) + R"(,"delta":)" + std::string(delta) +
           "}\n";
}
std::string stopped(int index) {
    return R"({"type":"content_block_stop","index":)" + std::to_string(index) + "}\n";
}
std::string ended(std::string_view reason, std::string_view usage) {
    return R"({"type":"message_delta","delta":{"stop_reason":)" + std::string(reason) +
           R"(,"stop_sequence":null},"usage":)" + std::string(usage) + "}\n";
}
const std::string usage_15 =
    R"({"input_tokens":25,"cache_creation_input_tokens":5,"cache_read_input_tokens":100,"output_tokens":15})";
const std::string message_stop = "{\"type\":\"message_stop\"}\n";
const std::string text_block = R"({"type":"text","text":""})";

}  // namespace

TEST_CASE("a stream has the events that Anthropic's clients expect", "[dialects][anthropic]") {
    script s;
    s.start();
    CHECK(s.take() ==
          R"({"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"up",)"
          R"("content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":25,)"
          R"("cache_creation_input_tokens":5,"cache_read_input_tokens":100,"cache_creation":)"
          R"({"ephemeral_5m_input_tokens":5,"ephemeral_1h_input_tokens":0},"output_tokens":1,"service_tier":null}}})"
          "\n");
    s.step(kind::ping, [](stream_step&) {});
    CHECK(s.take() == "{\"type\":\"ping\"}\n");
    s.begin(0, type::text);
    CHECK(s.take() == started(0, text_block));
    s.delta(0, R"("Hel")");
    s.delta(0, R"("lo \u00f6\n")");
    CHECK(s.take() ==
          said(0, R"({"type":"text_delta","text":"Hel"})") + said(0, R"({"type":"text_delta","text":"lo \u00f6\n"})"));
    s.end(0);
    CHECK(s.take() == stopped(0));
    s.finish(finish_reason::stop);
    CHECK(s.take().empty());  // the reason waits for the usage
    s.usage();
    CHECK(s.take() == ended(R"("end_turn")", usage_15));
    s.end_of_stream();
    CHECK(s.take() == message_stop);
}

TEST_CASE("a stream that begins without its first step begins all the same", "[dialects][anthropic]") {
    script s;
    s.begin(0, type::text);
    s.delta(0, R"("x")");
    const std::string begun = s.take();
    CHECK(begun.starts_with(
        R"({"type":"message_start","message":{"id":"msg_r1","type":"message","role":"assistant","model":"public")"));
    CHECK(begun.find(R"("input_tokens":0)") != std::string::npos);
    s.finish(finish_reason::length);
    CHECK(s.take() == stopped(0));
    s.end_of_stream();  // no usage was sent
    CHECK(s.take() == ended(R"("max_tokens")", R"({"output_tokens":0})") + message_stop);
}

TEST_CASE("calls that are made side by side are written one behind the other", "[dialects][anthropic]") {
    script s;
    s.start();
    s.take();
    s.begin(0, type::tool_call, R"("call_a")", R"("f")");
    s.begin(1, type::tool_call, {}, R"("g")");
    s.begin(2, type::text);
    s.delta(1, R"("{\"b\":")");
    s.delta(0, R"("{}")");
    s.delta(2, R"("T")");
    s.delta(1, R"("2}")");
    CHECK(s.take() == started(0, R"({"type":"tool_use","id":"call_a","name":"f","input":{}})") +
                          said(0, R"({"type":"input_json_delta","partial_json":"{}"})"));
    s.end(2);
    CHECK(s.take().empty());
    s.end(0);
    CHECK(s.take() == stopped(0) + started(1, R"({"type":"tool_use","id":"toolu_r1_1","name":"g","input":{}})") +
                          said(1, R"({"type":"input_json_delta","partial_json":"{\"b\":2}"})"));
    s.end(1);
    CHECK(s.take() ==
          stopped(1) + started(2, text_block) + said(2, R"({"type":"text_delta","text":"T"})") + stopped(2));
    s.finish(finish_reason::stop);
    s.usage();
    CHECK(s.take() == ended(R"("tool_use")", usage_15));
    s.end_of_stream();
    CHECK(s.take() == message_stop);
}

TEST_CASE("thinking is signed, by its tag where another provider made it", "[dialects][anthropic]") {
    script s;
    s.start();
    s.take();
    s.begin(0, type::reasoning);
    CHECK(s.take().empty());
    s.delta(0, R"("Hm")");
    s.end(0, [](stream_step& e) {
        e.signature = "EqQB";
        e.from = "anthropic";
    });
    const std::string thinking = R"({"type":"thinking","thinking":"","signature":""})";
    CHECK(s.take() == started(0, thinking) + said(0, R"({"type":"thinking_delta","thinking":"Hm"})") +
                          said(0, R"({"type":"signature_delta","signature":"EqQB"})") + stopped(0));
    s.begin(1, type::reasoning);  // not shown, but signed
    s.end(1, [](stream_step& e) {
        e.signature = "EqQC";
        e.from = "anthropic";
    });
    CHECK(s.take() == started(1, thinking) + said(1, R"({"type":"signature_delta","signature":"EqQC"})") + stopped(1));
    s.begin(2, type::reasoning, R"("rs_1")");
    s.delta(2, R"("Sum")");
    s.end(2, [](stream_step& e) {
        e.encrypted = "gAAA";
        e.from = "openai";
    });
    CHECK(s.take() == started(2, thinking) + said(2, R"({"type":"thinking_delta","thinking":"Sum"})") +
                          said(2, R"({"type":"signature_delta","signature":"openai:rs_1:gAAA"})") + stopped(2));
    s.begin(3, type::reasoning);
    s.end(3, [](stream_step& e) {
        e.encrypted = "Eno=";
        e.from = "anthropic";
    });
    CHECK(s.take() == started(3, R"({"type":"redacted_thinking","data":"Eno="})") + stopped(3));
    s.begin(4, type::reasoning);  // nothing at all
    s.end(4);
    CHECK(s.take().empty());
    s.begin(5, type::text);
    CHECK(s.take() == started(4, text_block));
}

TEST_CASE("the signature of another provider on a call stands behind it", "[dialects][anthropic]") {
    script s;
    s.start();
    s.take();
    s.begin(0, type::tool_call, R"("a")", R"("f")");
    s.delta(0, R"("{}")");
    s.end(0, [](stream_step& e) {
        e.signature = "CsQ=";
        e.from = "gemini";
    });
    CHECK(s.take() == started(0, R"({"type":"tool_use","id":"a","name":"f","input":{}})") +
                          said(0, R"({"type":"input_json_delta","partial_json":"{}"})") + stopped(0) +
                          started(1, R"({"type":"redacted_thinking","data":"gemini:call:CsQ="})") + stopped(1));
    s.begin(1, type::text);
    CHECK(s.take() == started(2, text_block));
}

TEST_CASE("parts that come in one piece are blocks that start as they are", "[dialects][anthropic]") {
    script s;
    s.start();
    s.take();
    const part search{native_part{"{\"type\":\"web_search_tool_result\",\n\"content\":[]}", "anthropic.messages", "x"}};
    s.whole(0, search);
    s.end(0);
    CHECK(s.take() == started(0, "{\"type\":\"web_search_tool_result\",\n\"content\":[]}") + stopped(0));
    const part foreign{native_part{"{}", "openai.responses", "x"}};
    s.whole(1, foreign);
    s.end(1);
    CHECK(s.take().empty());
    const part image{make<media_part>([](auto& m) {
        m.base64 = "iVBO";
        m.mime = "image/png";
    })};
    s.whole(2, image);
    s.end(2);
    CHECK(s.take() ==
          started(1, R"({"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBO"}})") +
              stopped(1));
    const part call{make<tool_call>([](auto& c) {
        c.name = R"("f")";
        c.arguments = R"({"a":1})";
    })};
    s.whole(3, call);
    s.end(3);
    CHECK(s.take() == started(2, R"({"type":"tool_use","id":"toolu_r1_3","name":"f","input":{}})") +
                          said(2, R"({"type":"input_json_delta","partial_json":"{\"a\":1}"})") + stopped(2));
    const part text{text_part{R"("T")", {}, {}}};
    s.whole(4, text);
    s.end(4, [](stream_step& e) {
        e.citations = R"([{"n":1},{"n":2}])";
        e.from = "anthropic";
    });
    CHECK(s.take() == started(3, text_block) + said(3, R"({"type":"text_delta","text":"T"})") +
                          said(3, R"({"type":"citations_delta","citation":{"n":1}})") +
                          said(3, R"({"type":"citations_delta","citation":{"n":2}})") + stopped(3));
}

TEST_CASE("a failure is an error event, behind which nothing follows", "[dialects][anthropic]") {
    script s;
    s.start();
    s.begin(0, type::text);
    s.take();
    s.step(kind::failure, [](stream_step& f) {
        f.name = R"("rate_limit_exceeded")";
        f.text = R"("Slow \"down\"")";
    });
    CHECK(s.take() == R"({"type":"error","error":{"type":"rate_limit_error","message":"Slow \"down\""}})"
                      "\n");
    s.delta(0, R"("x")");
    s.end_of_stream();
    CHECK(s.take().empty());
}

TEST_CASE("what waits for its turn is bounded", "[dialects][anthropic]") {
    script s;
    s.start();
    s.begin(0, type::text);
    s.begin(1, type::text);
    s.take();
    const std::string piece = "\"" + std::string(1 << 20, 'x') + "\"";
    for (int i = 0; i < 8; ++i) s.delta(1, piece);
    CHECK(s.take().empty());
    s.delta(1, piece);
    CHECK(s.take().find(R"("type":"api_error")") != std::string::npos);
    s.end_of_stream();
    CHECK(s.take().empty());
}

TEST_CASE("so are the parts that wait", "[dialects][anthropic]") {
    script s;
    s.start();
    for (int i = 0; i < 1024; ++i) s.begin(i, type::text);
    CHECK(s.take().find("error") == std::string::npos);
    s.begin(1024, type::text);
    CHECK(s.take().find(R"("type":"api_error")") != std::string::npos);
}

TEST_CASE("only the first of several answers is written", "[dialects][anthropic]") {
    script s;
    s.start();
    s.take();
    s.step(kind::part_start, [](stream_step& p) { p.choice = 1; });
    s.step(kind::finish, [](stream_step& p) { p.choice = 1; });
    CHECK(s.take().empty());
}

TEST_CASE("a stop text and usage that came early stand in the last event", "[dialects][anthropic]") {
    script s;
    s.start();
    s.take();
    s.usage();
    s.finish(finish_reason::stop_sequence, R"("END")");
    CHECK(s.take().empty());
    s.end_of_stream();
    CHECK(s.take() ==
          R"({"type":"message_delta","delta":{"stop_reason":"stop_sequence","stop_sequence":"END"},"usage":)" +
              usage_15 + "}\n" + message_stop);
}

TEST_CASE("a stream of this dialect is the same message behind both adapters", "[dialects][anthropic]") {
    const std::string stream = sse_of(
        {R"({"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],)"
         R"("stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":25,"cache_creation_input_tokens":0,)"
         R"("cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},)"
         R"("output_tokens":1,"service_tier":null}}})",
         R"({"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}})",
         R"({"type":"ping"})",
         R"({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm"}})",
         R"({"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"EqQB"}})",
         R"({"type":"content_block_stop","index":0})",
         R"({"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}})",
         R"({"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Ok"}})",
         R"({"type":"content_block_delta","index":1,"delta":{"type":"citations_delta","citation":{"type":"x"}}})",
         R"({"type":"content_block_stop","index":1})",
         R"({"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}})",
         R"({"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"a\":1}"}})",
         R"({"type":"content_block_stop","index":2})",
         R"({"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":25,)"
         R"("cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":9}})",
         R"({"type":"message_stop"})"});
    const auto reader = messages_upstream().read_stream();
    const auto writer = messages_client().write_stream({});
    std::string out;
    http::sse_reader sse;
    http::sse_event e;
    sse.feed(stream);
    while (sse.next(e)) {
        std::vector<stream_step> steps;
        REQUIRE(reader->read(e.name, e.data, steps).has_value());
        for (const stream_step& s : steps) writer->write(s, out);
    }
    // The thinking begins with its first piece, behind the ping.
    const std::string ping = "event: ping\ndata: {\"type\":\"ping\"}\n\n";
    const auto without = [&](std::string text) { return text.erase(text.find(ping), ping.size()); };
    CHECK(without(out) == without(stream));
}
