// Steps of a stream as lines of text, for tests.
#pragma once

#include "dialects/dialect.hpp"

#include <string>
#include <vector>

namespace sluice::chat::test {

inline std::string line_of(const token_usage& u) {
    std::string out;
    const auto put = [&](const char* name, std::int64_t n) {
        if (n >= 0) out += std::string(" ") + name + "=" + std::to_string(n);
    };
    put("in", u.input);
    put("out", u.output);
    put("cached", u.cached_input);
    put("written", u.cache_write);
    put("written_1h", u.cache_write_1h);
    put("reasoning", u.reasoning);
    return out;
}

inline std::string line_of(const stream_step& s) {
    using kind = stream_step::kind;
    constexpr const char* kinds[] = {"start", "part_start", "delta", "part_end", "finish",
                                     "usage", "failure",    "ping",  "end"};
    constexpr const char* types[] = {"text", "reasoning", "refusal", "call", "custom", "whole"};
    std::string out = kinds[static_cast<int>(s.what)];
    const bool of_part = s.what == kind::part_start || s.what == kind::delta || s.what == kind::part_end;
    if (of_part) out += " " + std::to_string(s.part) + " " + types[static_cast<int>(s.type)];
    const auto put = [&](const char* name, std::string_view text) {
        if (!text.empty()) out.append(" ").append(name).append(text);
    };
    put("id=", s.id);
    put("name=", s.name);
    put("", s.text);
    put("signature=", s.signature);
    put("encrypted=", s.encrypted);
    put("from=", s.from);
    if (s.what == kind::finish) out += " " + std::to_string(static_cast<int>(s.why));
    put("stop=", s.stop_sequence);
    out += line_of(s.usage);
    return out;
}

inline std::vector<std::string> lines_of(const std::vector<stream_step>& steps) {
    std::vector<std::string> out;
    for (const stream_step& s : steps) out.push_back(line_of(s));
    return out;
}

// "finish stop", so that tests need not count.
inline std::string finish(finish_reason why) {
    return "finish " + std::to_string(static_cast<int>(why));
}

}  // namespace sluice::chat::test
