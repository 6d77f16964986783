#include "dialects/cohere/cohere.hpp"
#include "http/sse_reader.hpp"
#include "unit/dialects/bedrock/steps.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

using namespace sluice;
using namespace sluice::chat;

namespace {

using lines = std::vector<std::string>;

struct reading {
    lines steps;
    std::string problem;
    int repairs = 0;
    bool operator==(const reading&) const = default;
};

reading replay_pieces(const std::vector<std::string_view>& pieces) {
    reading r;
    http::sse_reader frames;
    const auto reader = cohere::chat().read_stream();
    const auto take = [&](const result<void>& read, const std::vector<stream_step>& steps) {
        for (std::string& line : test::lines_of(steps)) r.steps.push_back(std::move(line));
        if (!read) r.problem = describe(read.error());
        return read.has_value();
    };
    for (const std::string_view piece : pieces) {
        const std::string copy(piece);
        frames.feed(copy);
        http::sse_event e;
        while (frames.next(e)) {
            if (!e.has_data) continue;
            std::vector<stream_step> steps;
            const auto read = reader->read(e.name, e.data, steps);
            if (!take(read, steps)) return r;
        }
    }
    std::vector<stream_step> steps;
    const auto finished = reader->finish(steps);
    take(finished, steps);
    r.repairs = reader->repairs();
    return r;
}

// As Cohere sends it: the name of each event is its type.
std::string framed(const std::vector<std::string_view>& events) {
    std::string out;
    for (const std::string_view data : events) {
        const auto at = data.find(R"("type":")");
        const std::string_view rest = at == std::string_view::npos ? std::string_view{} : data.substr(at + 8);
        http::append_sse(out, rest.substr(0, rest.find('"')), data);
    }
    return out;
}

reading replay(const std::vector<std::string_view>& events) {
    const std::string stream = framed(events);
    return replay_pieces({stream});
}

const std::string_view start = R"({"type":"message-start","id":"29f14a5a","delta":{"message":{"role":"assistant",)"
                               R"("content":[],"tool_plan":"","tool_calls":[],"citations":[]}}})";
const std::string_view text_start =
    R"({"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}})";
const std::string_view text_delta =
    R"({"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Hi"}}}})";
const std::string_view text_end = R"({"type":"content-end","index":0})";
const std::string_view end =
    R"({"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":3,)"
    R"("output_tokens":1},"tokens":{"input_tokens":70,"output_tokens":2}}}})";

const std::vector<std::string_view> text_answer = {start, text_start, text_delta, text_end, end};

const std::vector<std::string_view> tool_answer = {
    start,
    R"({"type":"tool-plan-delta","delta":{"message":{"tool_plan":"I will"}}})",
    R"({"type":"tool-plan-delta","delta":{"message":{"tool_plan":" \"look\"."}}})",
    R"({"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"f_1","type":"function","function":{"name":"f","arguments":""}}}}})",
    R"({"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"{\"a\":"}}}}})",
    R"({"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"1}"}}}}})",
    R"({"type":"tool-call-end","index":0})",
    R"({"type":"tool-call-start","index":1,"delta":{"message":{"tool_calls":[{"id":"g_2","type":"function","function":{"name":"g","arguments":""}}]}}})",
    R"({"type":"tool-call-end","index":1})",
    R"({"type":"message-end","delta":{"finish_reason":"TOOL_CALL","usage":{"tokens":{"input_tokens":9,"output_tokens":8},"cached_tokens":4}}})"};

const lines tool_steps = {R"(start id="29f14a5a")",
                          "part_start 0 reasoning",
                          R"(delta 0 reasoning "I will")",
                          R"(delta 0 reasoning " \"look\".")",
                          "part_end 0 reasoning",
                          R"(part_start 1 call id="f_1" name="f")",
                          R"(delta 1 call "{\"a\":")",
                          R"(delta 1 call "1}")",
                          "part_end 1 call",
                          R"(part_start 2 call id="g_2" name="g")",
                          R"(delta 2 call "{}")",
                          "part_end 2 call",
                          test::finish(finish_reason::tool_calls),
                          "usage in=9 out=8 cached=4",
                          "end"};

}  // namespace

TEST_CASE("a stream of Cohere becomes steps", "[dialects][cohere]") {
    const lines text_steps = {R"(start id="29f14a5a")",
                              "part_start 0 text",
                              R"(delta 0 text "Hi")",
                              "part_end 0 text",
                              test::finish(finish_reason::stop),
                              "usage in=70 out=2",
                              "end"};
    CHECK(replay(text_answer) == reading{text_steps, "", 0});
    CHECK(replay(tool_answer) == reading{tool_steps, "", 0});
}

TEST_CASE("a stream of Cohere means the same wherever it is cut", "[dialects][cohere]") {
    const std::string stream = framed(tool_answer);
    const std::string_view all = stream;
    for (std::size_t i = 0; i <= all.size(); ++i) {
        if (replay_pieces({all.substr(0, i), all.substr(i)}) != reading{tool_steps, "", 0}) FAIL(i);
    }
}

TEST_CASE("thoughts, citations and probabilities of a stream", "[dialects][cohere]") {
    const reading r = replay(
        {start,
         R"({"type":"content-start","index":0,"delta":{"message":{"content":{"type":"thinking","thinking":"Hm"}}}})",
         R"({"type":"content-delta","index":0,"delta":{"message":{"content":{"thinking":"."}}}})", text_end,
         R"({"type":"content-start","index":1,"delta":{"message":{"content":{"type":"text","text":""}}}})",
         R"({"type":"content-delta","index":1,"delta":{"message":{"content":{"text":"A"}}},"logprobs":{"text":"A","token_ids":[1],"logprobs":[-1]}})",
         R"({"type":"citation-start","index":0,"delta":{"message":{"citations":{"start":0,"end":1,"text":"A"}}}})",
         R"({"type":"citation-end","index":0})", R"({"type":"content-end","index":1})", end});
    CHECK(r.problem.empty());
    CHECK(r.steps == lines{R"(start id="29f14a5a")", "part_start 0 reasoning", R"(delta 0 reasoning "Hm")",
                           R"(delta 0 reasoning ".")", "part_end 0 reasoning", "part_start 1 text",
                           R"(delta 1 text "A")", "part_end 1 text", test::finish(finish_reason::stop),
                           "usage in=70 out=2", "end"});
    const auto reader = cohere::chat().read_stream();
    std::vector<stream_step> steps;
    REQUIRE(reader
                ->read("",
                       R"({"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"A"}}},)"
                       R"("logprobs":{"text":"A","token_ids":[1],"logprobs":[-1]}})",
                       steps)
                .has_value());
    CHECK(steps.back().logprobs == R"({"content":[{"token":"A","logprob":-1,"bytes":null,"top_logprobs":[]}]})");
}

TEST_CASE("a stream of Cohere that fails or is cut off never ends well", "[dialects][cohere]") {
    const reading failed = replay({start, text_start, text_delta,
                                   R"({"type":"message-end","delta":{"finish_reason":"ERROR","error":"gone"}})", end});
    CHECK(failed.steps.back() == R"(failure name="ERROR" "gone")");
    CHECK(failed.problem.empty());
    CHECK(replay({start, R"({"id":"x","message":"internal"})"}).steps.back() == R"(failure "internal")");
    for (std::size_t n = 0; n < tool_answer.size(); ++n) {
        const reading r =
            replay(std::vector<std::string_view>(tool_answer.begin(), tool_answer.begin() + static_cast<long>(n)));
        CHECK(r.problem.starts_with("upstream_reset"));
        for (const std::string& step : r.steps) CHECK((step != "end" && !step.starts_with("finish")));
    }
}

TEST_CASE("missing starts and ends of Cohere's are made good and counted", "[dialects][cohere]") {
    const reading r = replay({text_delta, end, text_delta, "[DONE]"});
    CHECK(r == reading{{"start", "part_start 0 text", R"(delta 0 text "Hi")", "part_end 0 text",
                        test::finish(finish_reason::stop), "usage in=70 out=2", "end"},
                       "",
                       3});
}

TEST_CASE("what is no event of Cohere's is the upstream's fault", "[dialects][cohere]") {
    for (const std::string_view bad :
         {"{", "", "[]", R"({"type":"content-start","index":0})",
          R"({"type":"content-delta","index":0,"delta":{"message":{"content":{"thinking":"x"}}}})",
          R"({"type":"tool-call-delta","index":5,"delta":{"message":{"tool_calls":{"function":{"arguments":"1"}}}}})",
          R"({"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"a"}}}})"}) {
        INFO(bad);
        const auto reader = cohere::chat().read_stream();
        std::vector<stream_step> steps;
        for (const std::string_view good : {start, text_start, text_delta}) {
            REQUIRE(reader->read("", good, steps).has_value());
        }
        const auto read = reader->read("", bad, steps);
        REQUIRE_FALSE(read.has_value());
        CHECK(read.error().kind == error_kind::upstream_protocol);
    }
    CHECK(replay({start, R"({"type":"debug","prompt":"x"})", text_start, text_delta, text_end, end}).problem.empty());
}
