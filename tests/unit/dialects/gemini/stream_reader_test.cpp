#include "dialects/gemini/gemini.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

using namespace sluice;
using namespace sluice::chat;
using kind = stream_step::kind;

namespace {

// What a stream's steps say, on a line each.
std::string told(const std::vector<stream_step>& steps) {
    static constexpr std::string_view names[] = {"start", "part_start", "delta", "part_end", "finish",
                                                 "usage", "failure",    "ping",  "end"};
    std::string out;
    for (const stream_step& s : steps) {
        out.append(names[static_cast<std::size_t>(s.what)]);
        out.append(" ").append(std::to_string(s.part));
        for (const std::string_view v : {s.id, s.name, s.text, s.signature}) {
            if (!v.empty()) out.append(" ").append(v);
        }
        if (s.what == kind::finish) out.append(" ").append(std::to_string(static_cast<int>(s.why)));
        if (s.what == kind::usage)
            out.append(" ").append(std::to_string(s.usage.input)).append("/").append(std::to_string(s.usage.output));
        out += '\n';
    }
    return out;
}

struct played {
    std::string steps;
    bool whole = false;
};

played play(const std::vector<std::string_view>& chunks) {
    const auto reader = gemini::make_stream_reader();
    played p;
    for (const std::string_view chunk : chunks) {
        // A copy that is gone afterwards: what a step needs later must not be a view of the chunk before.
        const std::string data(chunk);
        std::vector<stream_step> steps;
        REQUIRE(reader->read({}, data, steps).has_value());
        p.steps += told(steps);
    }
    std::vector<stream_step> last;
    p.whole = reader->finish(last).has_value();
    p.steps += told(last);
    return p;
}

std::string number(finish_reason r) {
    return std::to_string(static_cast<int>(r));
}

constexpr std::string_view thought =
    R"({"candidates":[{"content":{"parts":[{"text":"Hm","thought":true}],"role":"model"},"index":0}],)"
    R"("modelVersion":"gemini-3-pro","responseId":"R1"})";
constexpr std::string_view two_calls =
    R"({"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"a":1}},"thoughtSignature":"c2ln"},)"
    R"({"functionCall":{"name":"f","args":{}}}],"role":"model"},"finishReason":"STOP","index":0}],)"
    R"("usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":7,"thoughtsTokenCount":3},"responseId":"R1"})";

}  // namespace

TEST_CASE("thoughts and calls side by side are parts of their own, and STOP with calls is tool_calls",
          "[dialects][gemini]") {
    const played p = play({thought, two_calls});
    CHECK(p.whole);
    CHECK(p.steps ==
          "start 0 \"R1\" \"gemini-3-pro\"\n"
          "part_start 0\ndelta 0 \"Hm\"\npart_end 0\n"
          "part_start 1 \"call_R1_0\" \"f\"\ndelta 1 \"{\\\"a\\\":1}\"\npart_end 1 c2ln\n"
          "part_start 2 \"call_R1_1\" \"f\"\ndelta 2 \"{}\"\npart_end 2\n"
          "finish 0 " +
              number(finish_reason::tool_calls) + "\nusage 0 5/10\nend 0\n");
}

TEST_CASE("a stream without a finish reason broke off", "[dialects][gemini]") {
    const played p = play({thought});
    CHECK_FALSE(p.whole);
    CHECK(p.steps == "start 0 \"R1\" \"gemini-3-pro\"\npart_start 0\ndelta 0 \"Hm\"\n");
    CHECK_FALSE(play({}).whole);
}

TEST_CASE("a prompt that was blocked is an answer that the filter ended", "[dialects][gemini]") {
    const played p = play({R"({"promptFeedback":{"blockReason":"SAFETY"},"responseId":"R1"})"});
    CHECK(p.whole);
    CHECK(p.steps == "start 0 \"R1\"\nfinish 0 " + number(finish_reason::content_filter) + "\nend 0\n");
}

TEST_CASE("an error in a stream is its failure and never a good end", "[dialects][gemini]") {
    const played p =
        play({thought, R"({"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}})"});
    CHECK(p.steps.ends_with("failure 0 \"UNAVAILABLE\" \"The model is overloaded.\"\n"));
    CHECK(p.steps.find("finish") == std::string::npos);
}

TEST_CASE("what is no answer of Gemini's in a stream is the upstream's fault", "[dialects][gemini]") {
    for (const std::string_view data : {"[DONE]", "{", "{}", R"({"choices":[]})", R"({"candidates":[{"content":)"}) {
        const auto reader = gemini::make_stream_reader();
        std::vector<stream_step> steps;
        const auto read = reader->read({}, data, steps);
        INFO(data);
        REQUIRE_FALSE(read.has_value());
        CHECK(read.error().kind == error_kind::upstream_protocol);
    }
}
