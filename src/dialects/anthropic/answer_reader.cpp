#include "dialects/anthropic/answers.hpp"
#include "dialects/anthropic/terms.hpp"
#include "dialects/anthropic/usage.hpp"
#include "dialects/values.hpp"

namespace sluice::chat::anthropic {
namespace {

error not_a_message(std::string_view body) {
    return error{error_kind::upstream_protocol, "The upstream's answer is no message: " + excerpt(body)};
}

// The members of a block that this dialect has a place for.
struct block_members {
    json type, text, citations, thinking, signature, data, id, name, input;
    extra_fields others;
};

block_members members_of(json block) {
    block_members m;
    const std::pair<std::string_view, json*> places[] = {
        {"type", &m.type},
        {"text", &m.text},
        {"citations", &m.citations},
        {"thinking", &m.thinking},
        {"signature", &m.signature},
        {"data", &m.data},
        {"id", &m.id},
        {"name", &m.name},
        {"input", &m.input},
    };
    each_member(block, [&](std::string_view key, const json_value& value) {
        for (const auto& [name, place] : places) {
            if (key != name) continue;
            if (value.type != json_type::null) *place = value.raw;
            return;
        }
        m.others.push_back({key, value.raw});
    });
    return m;
}

json string_or_empty(json value) {
    return is_string(value) ? value : json{};
}

}  // namespace

bool read_answer_block(json block, text_arena& arena, part& out) {
    const block_members m = members_of(block);
    if (!is_string(m.type)) return false;
    if (says(m.type, "text") && is_string(m.text)) {
        text_part text{m.text, {}, {}};
        if (type_of(m.citations) == json_type::array && !json_elements({json_type::array, m.citations}).empty()) {
            text.citations = m.citations;
            text.from = maker_name;
        }
        out.value = text;
        out.extras = m.others;
    } else if (says(m.type, "thinking")) {
        reasoning_part thinking;
        thinking.text = string_or_empty(m.thinking);
        thinking.signature = chars_of(m.signature);
        if (!thinking.signature.empty()) thinking.from = maker_name;
        out.value = thinking;
        out.extras = m.others;
    } else if (says(m.type, "redacted_thinking")) {
        reasoning_part thinking;
        thinking.encrypted = chars_of(m.data);
        thinking.from = maker_name;
        out.value = thinking;
        out.extras = m.others;
    } else if (says(m.type, "tool_use")) {
        tool_call call;
        call.id = string_or_empty(m.id);
        call.name = string_or_empty(m.name);
        call.arguments = type_of(m.input) == json_type::object ? m.input : json{"{}"};
        out.value = call;
        out.extras = m.others;
    } else {
        out.value = native_part{block, dialect_name, decode(m.type, arena)};
    }
    return true;
}

result<void> read_message(std::string_view body, answer& out) {
    const auto object = json_object::parse(body);
    if (!object) return not_a_message(body);
    json type, content, usage, stop_reason;
    choice one;
    for (const json_member& m : object->members()) {
        const json value = m.value.type == json_type::null ? json{} : m.value.raw;
        if (m.key == "type") {
            type = value;
        } else if (m.key == "id") {
            out.id = string_or_empty(value);
        } else if (m.key == "model") {
            out.model = string_or_empty(value);
        } else if (m.key == "content") {
            content = value;
        } else if (m.key == "usage") {
            usage = value;
        } else if (m.key == "stop_reason") {
            stop_reason = value;
        } else if (m.key == "stop_sequence") {
            one.stop_sequence = string_or_empty(value);
        } else if (is_message_extra(m.key)) {
            out.extras.push_back({m.key, m.value.raw});
        }
    }
    if (!says(type, "message") || type_of(content) != json_type::array) return not_a_message(body);
    bool well_formed = true;
    each_element(content, [&](const json_value& block) {
        part p;
        well_formed = well_formed && read_answer_block(block.raw, out.arena, p);
        one.content.push_back(std::move(p));
    });
    if (!well_formed) return not_a_message(body);
    one.finish = finish_of(stop_reason);
    usage_counts counts;
    counts.merge(usage);
    out.usage = counts.total();
    out.service_tier = counts.service_tier;
    out.choices.push_back(std::move(one));
    return {};
}

}  // namespace sluice::chat::anthropic
