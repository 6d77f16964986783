// Whole answers of generateContent, read and written.
#include "dialects/gemini/content_reader.hpp"
#include "dialects/gemini/content_writer.hpp"
#include "dialects/gemini/gemini.hpp"
#include "dialects/values.hpp"
#include "http/json_writer.hpp"

#include <algorithm>

namespace sluice::chat::gemini {
namespace {

using http::json_writer;

error unreadable(std::string_view body) {
    return error{error_kind::upstream_protocol,
                 "The upstream's answer is not one of generateContent: " + excerpt(body)};
}

bool calls_tools(const choice& c) {
    return std::any_of(c.content.begin(), c.content.end(),
                       [](const part& p) { return std::holds_alternative<tool_call>(p.value); });
}

result<void> read_candidate(json v, answer& a) {
    choice c;
    json parts;
    each_member(v, [&](std::string_view key, const json_value& m) {
        if (key == "index") c.index = m.integer().value_or(0);
        if (is_field(key, "finishReason")) c.finish = finish_of(m.raw);
        if (key != "content") return;
        each_member(m.raw, [&](std::string_view k, const json_value& p) {
            if (k == "parts") parts = p.raw;
        });
    });
    part_source from{"candidates.content", "call_" + decode(a.id) + "_", true, 0};
    if (auto read = read_parts(parts, from, a.arena, c.content); !read) return read;
    if (c.finish == finish_reason::stop && calls_tools(c)) c.finish = finish_reason::tool_calls;
    a.choices.push_back(std::move(c));
    return {};
}

void write_candidate(const choice& c, text_arena& arena, json_writer& w) {
    w.begin_object().key("content").begin_object().key("parts").begin_array();
    for (const part& p : c.content) write_answer_part(p, arena, w);
    w.end_array().key("role").string("model").end_object();
    if (c.finish != finish_reason::none) w.key("finishReason").string(finish_name(c.finish));
    w.key("index").integer(c.index).end_object();
}

}  // namespace

result<void> read_answer(std::string_view body, answer& out) {
    const auto o = json_object::parse(body);
    if (!o) return unreadable(body);
    json candidates;
    bool blocked = false;
    for (const json_member& m : o->members()) {
        if (is_field(m.key, "responseId") && m.value.type == json_type::string) out.id = m.value.raw;
        if (is_field(m.key, "modelVersion") && m.value.type == json_type::string) out.model = m.value.raw;
        if (is_field(m.key, "usageMetadata")) out.usage = read_usage(m.value.raw);
        if (m.key == "candidates") candidates = m.value.raw;
        if (!is_field(m.key, "promptFeedback")) continue;
        each_member(m.value.raw,
                    [&](std::string_view key, const json_value&) { blocked |= is_field(key, "blockReason"); });
    }
    result<void> read;
    each_element(candidates, [&](const json_value& c) {
        if (read) read = read_candidate(c.raw, out);
    });
    if (!read) return unreadable(body);
    if (out.choices.empty() && blocked) out.choices.emplace_back().finish = finish_reason::content_filter;
    if (out.choices.empty()) return unreadable(body);
    return {};
}

void write_answer(const answer& a, const client_call& call, std::string& out) {
    text_arena arena;
    json_writer w(out);
    w.begin_object().key("candidates").begin_array();
    for (const choice& c : a.choices) write_candidate(c, arena, w);
    w.end_array();
    if (a.usage.reported()) {
        std::string usage;
        write_usage(a.usage, usage);
        w.key("usageMetadata").raw(usage);
    }
    w.key("modelVersion");
    if (a.model.empty()) {
        w.string(call.model);
    } else {
        w.raw(a.model);
    }
    w.key("responseId");
    if (a.id.empty()) {
        w.string(call.request_id);
    } else {
        w.raw(a.id);
    }
    w.end_object();
}

}  // namespace sluice::chat::gemini
