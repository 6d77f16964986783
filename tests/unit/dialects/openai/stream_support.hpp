// Streams for tests: steps as text, one line each.
#pragma once

#include "http/sse_reader.hpp"
#include "support.hpp"
#include "unit/dialects/replay.hpp"

#include <algorithm>

namespace sluice::chat::openai::test {

inline std::string line_of(const token_usage& u) {
    const auto n = [](std::int64_t v) { return std::to_string(v); };
    return "in=" + n(u.input) + " out=" + n(u.output) + " cached=" + n(u.cached_input) + " thought=" + n(u.reasoning);
}

inline std::string line_of(const stream_step& s) {
    using kind = stream_step::kind;
    static constexpr std::string_view types[] = {"text", "reasoning", "refusal", "call", "custom", "whole"};
    const auto field = [](std::string_view name, std::string_view value) {
        return value.empty() ? std::string{} : " " + std::string(name) + "=" + std::string(value);
    };
    const std::string type(types[static_cast<int>(s.type)]);
    const std::string place = (s.choice == 0 ? "" : std::to_string(s.choice) + "/") + std::to_string(s.part);
    switch (s.what) {
        case kind::start:
            return "start" + field("id", s.id) + field("model", s.name) + field("at", std::to_string(s.created));
        case kind::part_start: {
            const auto* image = s.whole == nullptr ? nullptr : std::get_if<media_part>(&s.whole->value);
            return "part " + place + " " + type + field("id", s.id) + field("name", s.name) +
                   (image == nullptr ? std::string{} : field("mime", image->mime) + field("base64", image->base64));
        }
        case kind::delta:
            return "delta " + place + " " + type + " " + std::string(s.text) + field("logprobs", s.logprobs);
        case kind::part_end:
            return "end " + place + " " + type + field("signature", s.signature) + field("hidden", s.encrypted) +
                   field("citations", s.citations);
        case kind::finish:
            return "finish " + (s.choice == 0 ? "" : std::to_string(s.choice) + "/") +
                   (s.why == finish_reason::none ? "none" : std::string(finish_name(s.why)));
        case kind::usage:
            return "usage " + line_of(s.usage);
        case kind::failure:
            return "failure" + field("type", s.name) + field("message", s.text);
        case kind::ping:
            return "ping";
        case kind::end:
            return "whole";
    }
    return {};
}

using chat::testing::reading;

inline reading read_sse(std::string_view stream, std::size_t cut = 0) {
    chat::testing::replay all(chat_upstream().read_stream(), line_of);
    all.sse(stream, cut);
    return all.finish();
}

// The same steps wherever the stream is cut.
inline reading read_everywhere(const strings& events) {
    std::string stream;
    for (const std::string& data : events) http::append_sse(stream, "", data);
    const reading whole = read_sse(stream);
    for (std::size_t cut = 1; cut < stream.size(); ++cut) {
        if (read_sse(stream, cut) != whole) FAIL("differs when cut at " << cut);
    }
    return whole;
}

inline std::string chunk(const std::string& delta, const std::string& finish = "null", int index = 0) {
    return R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"gpt-5",)"
           R"("choices":[{"index":)" +
           std::to_string(index) + R"(,"delta":)" + delta + R"(,"logprobs":null,"finish_reason":)" + finish + "}]}";
}
inline const std::string start_step = R"(start id="chatcmpl-1" model="gpt-5" at=1700000000)";
inline const std::string done_event = "[DONE]";

// Deltas of one choice between its first chunk and a good end, without the first and the last steps.
inline reading read_deltas(const strings& deltas, const std::string& finish = R"("stop")") {
    strings events{chunk(R"({"role":"assistant","content":""})")};
    for (const std::string& d : deltas) events.push_back(chunk(d));
    events.push_back(chunk("{}", finish));
    events.push_back(done_event);
    reading r = read_everywhere(events);
    INFO(r.error);
    REQUIRE(r.steps.size() >= 3);
    CHECK(r.steps.front() == start_step);
    CHECK(r.steps.back() == "whole");
    r.steps.erase(r.steps.begin());
    r.steps.pop_back();
    return r;
}

inline std::string call_delta(const std::string& entry) {
    return R"({"tool_calls":[)" + entry + "]}";
}

}  // namespace sluice::chat::openai::test
