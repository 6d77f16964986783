// A conversation out of any bytes, for the writers of dialects that have no reader of requests: each line that is JSON
// becomes something of it, by its first letters.
#pragma once

#include "dialects/values.hpp"

#include <sluice/conversation.hpp>
#include <sluice/json.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

namespace sluice::chat::fuzz {

// Lines are "<kind><flags>:<JSON>"; views of `text`.
template <class F>
void each_line(std::string_view text, F f) {
    while (!text.empty()) {
        const auto end = text.find('\n');
        f(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
}

inline part part_of(char kind, char flags, json value) {
    const bool text = is_string(value);
    const json string = text ? value : json{R"("x")"};
    part p{text_part{string, {}, {}}};
    const unsigned bits = static_cast<unsigned char>(flags);
    if (kind == 'm') {
        media_part m;
        m.what = static_cast<media_kind>(bits & 3U);
        m.mime = (bits & 4U) != 0 ? "image/png" : "application/pdf";
        m.name = string;
        if ((bits & 8U) != 0)
            m.url = string;
        else
            m.base64 = chars_of(string);
        p.value = m;
    } else if (kind == 'c') {
        tool_call call;
        call.id = (bits & 1U) != 0 ? string : json{};
        call.name = R"("f")";
        call.arguments = value;
        p.value = call;
    } else if (kind == 'r') {
        tool_result r;
        r.call_id = (bits & 1U) != 0 ? string : json{};
        r.is_error = (bits & 2U) != 0;
        if (type_of(value) == json_type::object)
            r.structured = value;
        else
            r.content.push_back({text_part{string, {}, {}}});
        p.value = r;
    } else if (kind == 't') {
        reasoning_part r;
        r.text = string;
        r.signature = chars_of(string);
        r.from = (bits & 1U) != 0 ? "anthropic" : "cohere";
        p.value = r;
    }
    if ((bits & 16U) != 0) p.cache_control = R"({"type":"ephemeral","ttl":"1h"})";
    return p;
}

inline conversation conversation_of(std::string_view text) {
    conversation c;
    each_line(text, [&](std::string_view line) {
        if (line.size() < 4 || line[2] != ':' || !validate_json(line.substr(3))) return;
        std::string_view trimmed = line.substr(3);
        trimmed.remove_prefix(std::min(trimmed.find_first_not_of(" \t\r"), trimmed.size()));
        trimmed = trimmed.substr(0, trimmed.find_last_not_of(" \t\r") + 1);
        const char kind = line[0];
        const char flags = line[1];
        if (kind == 'f') {
            tool t;
            t.name = R"("f")";
            if (is_string(trimmed)) t.description = trimmed;
            if (type_of(trimmed) == json_type::object) t.parameters = c.format.schema = trimmed;
            if ((flags & 1) != 0) c.format.what = response_format::kind::json_schema;
            c.choice.how = static_cast<tool_choice::mode>(static_cast<unsigned char>(flags) % 4);
            c.tools.push_back(std::move(t));
        } else if (kind == 'o') {
            if (type_of(trimmed) == json_type::number) c.sampling.temperature = c.sampling.top_k = trimmed;
            if (is_string(trimmed)) c.sampling.stop.push_back(trimmed);
            if (type_of(trimmed) == json_type::object) c.metadata = trimmed;
            c.extras.push_back({"additionalModelRequestFields", trimmed});
            c.reasoning.effort = (flags & 1) != 0 ? "high" : "";
        } else {
            const auto who = static_cast<role>(static_cast<unsigned char>(flags) >> 5U & 3U);
            if (c.messages.empty() || c.messages.back().who != who) c.messages.push_back({who, {}, {}, {}, {}});
            c.messages.back().content.push_back(part_of(kind, flags, trimmed));
        }
    });
    return c;
}

}  // namespace sluice::chat::fuzz
