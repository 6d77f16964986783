#include "dialects/bedrock/bedrock.hpp"
#include "http/event_stream.hpp"
#include "steps.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace sluice;
using namespace sluice::chat;

namespace {

using event = std::pair<std::string_view, std::string_view>;
using lines = std::vector<std::string>;

struct reading {
    lines steps;
    std::string problem;
    int repairs = 0;
    bool operator==(const reading&) const = default;
};

// As the gateway does it: decoder, reader, and at the end finish().
reading replay_pieces(const std::vector<std::string_view>& pieces) {
    reading r;
    http::aws_event_reader frames;
    const auto reader = bedrock::converse().read_stream();
    const auto take = [&](const result<void>& read, const std::vector<stream_step>& steps) {
        for (std::string& line : test::lines_of(steps)) r.steps.push_back(std::move(line));
        if (!read) r.problem = describe(read.error());
        return read.has_value();
    };
    for (const std::string_view piece : pieces) {
        const std::string copy(piece);
        frames.feed(copy);
        http::aws_event e;
        while (frames.next(e).value()) {
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

std::string framed(const std::vector<event>& events) {
    std::string out;
    for (const auto& [name, data] : events) {
        if (name.starts_with("exception:")) {
            http::append_aws_exception(out, name.substr(10), data);
        } else {
            http::append_aws_event(out, name, data);
        }
    }
    return out;
}

reading replay(const std::vector<event>& events) {
    const std::string stream = framed(events);
    return replay_pieces({stream});
}

const event start = {"messageStart", R"({"p":"abcdefghijk","role":"assistant"})"};
const event text_delta = {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"text":"Hi"},"p":"abc"})"};
const event text_stop = {"contentBlockStop", R"({"contentBlockIndex":0,"p":"ab"})"};
const event stop = {"messageStop", R"({"p":"abcd","stopReason":"end_turn"})"};
const event metadata = {"metadata", R"({"metrics":{"latencyMs":812},"p":"a","usage":{"inputTokens":10,)"
                                    R"("outputTokens":3,"totalTokens":13}})"};

// Thinking, text, two calls of which one has no parameters, usage with a cache.
const std::vector<event> long_answer = {
    start,
    {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"Let me"}}})"},
    {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"reasoningContent":{"text":" see.\n"}}})"},
    {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"EqQB/+=="}}})"},
    {"contentBlockStop", R"({"contentBlockIndex":0})"},
    {"contentBlockDelta", R"({"contentBlockIndex":1,"delta":{"text":""}})"},
    {"contentBlockDelta", R"({"contentBlockIndex":1,"delta":{"text":"Kö"}})"},
    {"contentBlockDelta", R"({"contentBlockIndex":1,"delta":{"text":"ln \"now\""}})"},
    {"contentBlockDelta", R"({"contentBlockIndex":1,"delta":{"citation":{"title":"t"}}})"},
    {"contentBlockStop", R"({"contentBlockIndex":1})"},
    {"contentBlockStart", R"({"contentBlockIndex":2,"start":{"toolUse":{"name":"weather","toolUseId":"tooluse_1"}}})"},
    {"contentBlockDelta", R"({"contentBlockIndex":2,"delta":{"toolUse":{"input":""}}})"},
    {"contentBlockDelta", R"({"contentBlockIndex":2,"delta":{"toolUse":{"input":"{\"city\":"}}})"},
    {"contentBlockDelta", R"({"contentBlockIndex":2,"delta":{"toolUse":{"input":"\"K\u00f6ln\"}"}}})"},
    {"contentBlockStop", R"({"contentBlockIndex":2})"},
    {"contentBlockStart", R"({"contentBlockIndex":3,"start":{"toolUse":{"name":"now","toolUseId":"tooluse_2"}}})"},
    {"contentBlockStop", R"({"contentBlockIndex":3})"},
    {"messageStop", R"({"stopReason":"tool_use"})"},
    {"metadata", R"({"usage":{"inputTokens":4,"outputTokens":50,"cacheReadInputTokens":100,)"
                 R"("cacheWriteInputTokens":20,"cacheDetails":[{"ttl":"1h","inputTokens":20}]},)"
                 R"("metrics":{"latencyMs":1},"serviceTier":{"type":"default"}})"}};

const lines long_steps = {
    "start",
    "part_start 0 reasoning",
    R"(delta 0 reasoning "Let me")",
    R"(delta 0 reasoning " see.\n")",
    "part_end 0 reasoning signature=EqQB/+== from=anthropic",
    "part_start 1 text",
    R"(delta 1 text "Kö")",
    R"(delta 1 text "ln \"now\"")",
    "part_end 1 text",
    R"(part_start 2 call id="tooluse_1" name="weather")",
    R"(delta 2 call "{\"city\":")",
    R"(delta 2 call "\"K\u00f6ln\"}")",
    "part_end 2 call",
    R"(part_start 3 call id="tooluse_2" name="now")",
    R"(delta 3 call "{}")",
    "part_end 3 call",
    test::finish(finish_reason::tool_calls),
    "usage in=124 out=50 cached=100 written=20 written_1h=20",
    "end",
};

}  // namespace

TEST_CASE("a stream of Converse becomes steps", "[dialects][bedrock]") {
    CHECK(replay({start, text_delta, text_stop, stop, metadata}) ==
          reading{{"start", "part_start 0 text", R"(delta 0 text "Hi")", "part_end 0 text",
                   test::finish(finish_reason::stop), "usage in=10 out=3", "end"},
                  "",
                  0});
    CHECK(replay(long_answer) == reading{long_steps, "", 0});
}

TEST_CASE("a stream of Converse means the same wherever it is cut", "[dialects][bedrock]") {
    const std::string stream = framed(long_answer);
    const std::string_view all = stream;
    for (std::size_t i = 0; i <= all.size(); ++i) {
        const reading r = replay_pieces({all.substr(0, i), all.substr(i)});
        if (r != reading{long_steps, "", 0}) FAIL(i);
    }
}

TEST_CASE("redacted reasoning comes whole at its end", "[dialects][bedrock]") {
    const reading r = replay(
        {start,
         {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"reasoningContent":{"redactedContent":"b3Bh"}}})"},
         {"contentBlockStop", R"({"contentBlockIndex":0})"},
         stop,
         metadata});
    REQUIRE(r.steps.size() > 2);
    CHECK(r.steps[1] == "part_start 0 reasoning");
    CHECK(r.steps[2] == "part_end 0 reasoning encrypted=b3Bh from=anthropic");
}

TEST_CASE("an exception in the middle is a failure, and nothing follows", "[dialects][bedrock]") {
    const reading r =
        replay({start,
                text_delta,
                {"exception:modelStreamErrorException", R"({"message":"broke \"off\"","originalStatusCode":500})"},
                text_stop,
                stop,
                metadata});
    CHECK(r == reading{{"start", "part_start 0 text", R"(delta 0 text "Hi")",
                        R"(failure name="modelStreamErrorException" "broke \"off\"")"},
                       "",
                       0});
    CHECK(replay({{"exception:throttlingException", "{}"}}).steps ==
          lines{R"(failure name="throttlingException" "The model's stream broke off.")"});
}

TEST_CASE("a stream that is cut off never ends well", "[dialects][bedrock]") {
    for (std::size_t n = 0; n + 2 < long_answer.size(); ++n) {
        const reading r = replay(std::vector<event>(long_answer.begin(), long_answer.begin() + static_cast<long>(n)));
        CHECK(r.problem.starts_with("upstream_reset"));
        CHECK(r.steps == lines(long_steps.begin(), long_steps.begin() + static_cast<long>(r.steps.size())));
        for (const std::string& step : r.steps) CHECK((step != "end" && !step.starts_with("finish")));
    }
    // Usage is no part of the answer: without it the answer is whole all the same.
    const reading unmetered = replay({start, text_delta, text_stop, stop});
    CHECK(unmetered.problem.empty());
    CHECK(unmetered.steps.back() == "end");
}

TEST_CASE("missing starts and stops are made good and counted", "[dialects][bedrock]") {
    const reading r = replay({text_delta, stop, metadata});
    CHECK(r.steps == lines{"start", "part_start 0 text", R"(delta 0 text "Hi")", "part_end 0 text",
                           test::finish(finish_reason::stop), "usage in=10 out=3", "end"});
    CHECK(r.repairs == 2);
}

TEST_CASE("tools that Bedrock runs itself are passed over", "[dialects][bedrock]") {
    const reading r = replay(
        {start,
         {"contentBlockStart",
          R"({"contentBlockIndex":0,"start":{"toolUse":{"name":"nova_grounding","toolUseId":"t","type":"server_tool_use"}}})"},
         {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"toolUse":{"input":"{}"}}})"},
         {"contentBlockStop", R"({"contentBlockIndex":0})"},
         {"contentBlockStart", R"({"contentBlockIndex":1,"start":{"toolResult":{"toolUseId":"t"}}})"},
         {"contentBlockDelta", R"({"contentBlockIndex":1,"delta":{"toolResult":[{"text":"x"}]}})"},
         {"contentBlockStop", R"({"contentBlockIndex":1})"},
         {"contentBlockDelta", R"({"contentBlockIndex":2,"delta":{"text":"Hi"}})"},
         {"contentBlockStop", R"({"contentBlockIndex":2})"},
         stop,
         metadata});
    CHECK(r.problem.empty());
    CHECK(r.repairs == 0);
    CHECK(r.steps == lines{"start", "part_start 0 text", R"(delta 0 text "Hi")", "part_end 0 text",
                           test::finish(finish_reason::stop), "usage in=10 out=3", "end"});
}

TEST_CASE("what is no event of Converse is the upstream's fault", "[dialects][bedrock]") {
    const event bad[] = {
        {"contentBlockDelta", "{"},
        {"contentBlockDelta", "[]"},
        {"contentBlockDelta", R"([{"contentBlockIndex":0,"delta":{"text":"x"}}])"},
        {"contentBlockDelta", ""},
        {"contentBlockDelta", R"({"delta":{"text":"x"}})"},
        {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"text":1}})"},
        {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"x"}}})"},
        {"contentBlockDelta", R"({"contentBlockIndex":7,"delta":{"toolUse":{"input":"{}"}}})"},
        {"contentBlockStart", R"({"contentBlockIndex":1,"start":{"toolUse":{"name":"f"}}})"},
        {"contentBlockStart", R"({"contentBlockIndex":0,"start":{"toolUse":{"name":"f","toolUseId":"a"}}})"},
    };
    for (const event& e : bad) {
        INFO(e.second);
        CHECK(replay({start, text_delta, e}).problem.starts_with("upstream_protocol"));
    }
    CHECK(replay({start, stop, text_delta}).problem.starts_with("upstream_protocol"));
    CHECK(replay({start, text_delta, {"newEvent", "{}"}, text_stop, stop, metadata}).problem.empty());
}
