// Streams for tests: steps as text, one line each.
#pragma once

#include "http/sse_reader.hpp"
#include "support.hpp"
#include "unit/dialects/replay.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sluice::chat::anthropic::test {

inline std::string text_of(const token_usage& u) {
    const auto n = [](std::int64_t v) { return std::to_string(v); };
    return "in=" + n(u.input) + " out=" + n(u.output) + " cached=" + n(u.cached_input) + " written=" + n(u.cache_write);
}

inline std::string text_of(const stream_step& s) {
    using kind = stream_step::kind;
    static constexpr std::string_view types[] = {"text", "reasoning", "refusal", "call", "custom", "whole"};
    const std::string part = std::to_string(s.part);
    const auto field = [](std::string_view name, std::string_view value) {
        return value.empty() ? std::string{} : " " + std::string(name) + "=" + std::string(value);
    };
    switch (s.what) {
        case kind::start:
            return "start" + field("id", s.id) + field("model", s.name) + " " + text_of(s.usage);
        case kind::part_start: {
            const auto* whole = s.whole == nullptr ? nullptr : std::get_if<native_part>(&s.whole->value);
            return "part " + part + " " + std::string(types[static_cast<int>(s.type)]) + field("id", s.id) +
                   field("name", s.name) + (whole == nullptr ? "" : " " + std::string(whole->value));
        }
        case kind::delta:
            return "delta " + part + " " + std::string(s.text);
        case kind::part_end:
            return "end " + part + field("signature", s.signature) + field("encrypted", s.encrypted) +
                   field("citations", s.citations) + field("from", s.from);
        case kind::finish:
            return "finish " + std::to_string(static_cast<int>(s.why)) + field("stop", s.stop_sequence);
        case kind::usage:
            return "usage " + text_of(s.usage);
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

class replay : public chat::testing::replay {
public:
    explicit replay(std::unique_ptr<stream_reader> reader) : chat::testing::replay(std::move(reader), text_of) {}
};

inline reading read_sse(std::string_view stream, std::size_t cut = 0) {
    replay all(messages_upstream().read_stream());
    all.sse(stream, cut);
    return all.finish();
}

// "type" of each piece of data becomes the event's name, as the API writes it.
inline std::string sse_of(const std::vector<std::string>& events) {
    std::string stream;
    for (const std::string& data : events) {
        const auto at = data.find(R"("type":")") + 8;
        http::append_sse(stream, data.substr(at, data.find('"', at) - at), data);
    }
    return stream;
}

}  // namespace sluice::chat::anthropic::test
