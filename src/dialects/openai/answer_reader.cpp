#include "dialects/openai/message_reader.hpp"
#include "dialects/openai/openai.hpp"
#include "dialects/openai/part_reader.hpp"
#include "dialects/values.hpp"

namespace sluice::chat::openai {
namespace {

error unreadable(std::string_view body) {
    return error{error_kind::upstream_protocol, "The upstream's answer is not a chat completion: " + excerpt(body)};
}

void read_annotated_text(json text, json annotations, std::vector<part>& out) {
    if (is_empty_string(text)) return;
    text_part t;
    t.text = text;
    t.citations = annotations;
    if (!annotations.empty()) t.from = "openai";
    out.push_back({t});
}

void read_thought(json text, std::vector<part>& out) {
    if (!is_string(text) || is_empty_string(text)) return;
    reasoning_part r;
    r.text = text;
    r.from = "openai";
    out.push_back({r});
}

// Mistral's: {"thinking":[{"type":"text","text":...}, ...]}, or one string. Pieces that belong together.
json thinking_text(const json_value& thinking, text_arena& arena) {
    if (thinking.type == json_type::string) return thinking.raw;
    std::string all;
    each_element(thinking.raw, [&](const json_value& inner) {
        each_member(inner.raw, [&](std::string_view key, const json_value& v) {
            if (key == "text") all += chars_of(v.raw);
        });
    });
    return enclose(all, arena);
}

// A string, or parts as Mistral gives them: {"type":"text"|"thinking", ...}.
void read_said(const json_value& content, json annotations, text_arena& arena, std::vector<part>& out) {
    if (content.type == json_type::string) return read_annotated_text(content.raw, annotations, out);
    each_element(content.raw, [&](const json_value& p) {
        each_member(p.raw, [&](std::string_view key, const json_value& v) {
            if (key == "text" && v.type == json_type::string) read_annotated_text(v.raw, {}, out);
            if (key == "thinking") read_thought(thinking_text(v, arena), out);
        });
    });
}

// Of the two fields the blocks say more: signatures. What they are in no form that is known is left to the other.
void read_thoughts(json blocks, json reasoning, std::vector<part>& out) {
    std::vector<part> thoughts;
    if (!blocks.empty() && read_thinking_blocks(blocks, "choices.message", thoughts) && !thoughts.empty()) {
        for (part& p : thoughts) out.push_back(std::move(p));
        return;
    }
    read_thought(reasoning, out);
}

struct loose_answer {
    json_value content;
    json thinking_blocks, reasoning, refusal, annotations, tool_calls, images, audio;
};

// Calls whose ids are missing get theirs at the end, when the answer's own is known.
result<void> read_calls(json calls, choice& out) {
    result<void> read;
    each_element(calls, [&](const json_value& call) {
        if (!read) return;
        auto p = read_call(call, "choices.message.tool_calls");
        if (p) {
            out.content.push_back(std::move(*p));
        } else {
            read = p.error();
        }
    });
    return read;
}

void complete_calls(choice& c, answer& a) {
    std::int64_t index = 0;
    for (part& p : c.content) {
        auto* const call = std::get_if<tool_call>(&p.value);
        if (call == nullptr) continue;
        if (call->id.empty() || is_empty_string(call->id)) call->id = make_call_id(a.id, c.index, index, a.arena);
        ++index;
    }
    // Some say "stop" although they call tools (OpenAI where a tool was named): agents look at this field to know.
    if (index > 0 && (c.finish == finish_reason::stop || c.finish == finish_reason::none))
        c.finish = finish_reason::tool_calls;
}

result<void> read_message(const json_value& v, choice& out, answer& a) {
    loose_answer m;
    each_member(v.raw, [&](std::string_view key, const json_value& x) {
        if (x.type == json_type::null) return;
        const bool string = x.type == json_type::string, array = x.type == json_type::array;
        if (key == "content") m.content = x;
        // Servers that write both write the same twice.
        if ((key == "reasoning_content" || key == "reasoning") && string && m.reasoning.size() <= 2)
            m.reasoning = x.raw;
        if (key == "thinking_blocks" && array) m.thinking_blocks = x.raw;
        if (key == "refusal" && string) m.refusal = x.raw;
        if (key == "annotations" && array && !json_elements(x).empty()) m.annotations = x.raw;
        if (key == "tool_calls" && array) m.tool_calls = x.raw;
        if (key == "images") m.images = x.raw;
        if (key == "audio" && x.type == json_type::object) m.audio = x.raw;
    });
    read_thoughts(m.thinking_blocks, m.reasoning, out.content);
    read_said(m.content, m.annotations, a.arena, out.content);
    read_images(m.images, a.arena, out.content);
    if (!m.refusal.empty() && !is_empty_string(m.refusal)) out.content.push_back({refusal_part{m.refusal}});
    if (!m.audio.empty()) out.content.push_back({native_part{m.audio, chat_name, "audio"}});
    return read_calls(m.tool_calls, out);
}

result<void> read_choice(const json_value& v, answer& a) {
    choice c;
    result<void> read;
    each_member(v.raw, [&](std::string_view key, const json_value& x) {
        if (!read) return;
        if (key == "index") c.index = x.integer().value_or(0);
        if (key == "message") read = read_message(x, c, a);
        if (key == "finish_reason" && !is_empty_string(x.raw)) c.finish = finish_of(x.raw);
        if (key == "logprobs" && x.type == json_type::object) c.logprobs = x.raw;
    });
    a.choices.push_back(std::move(c));
    return read;
}

}  // namespace

result<void> read_chat_answer(std::string_view body, answer& out) {
    const auto o = json_object::parse(body);
    if (!o) return unreadable(body);
    bool choices = false;
    for (const json_member& m : o->members()) {
        const json_value& v = m.value;
        if (v.type == json_type::null) continue;
        if (m.key == "id" && v.type == json_type::string) {
            out.id = v.raw;
        } else if (m.key == "model" && v.type == json_type::string) {
            out.model = v.raw;
        } else if (m.key == "created") {
            out.created = v.integer().value_or(0);
        } else if (m.key == "usage") {
            out.usage = read_chat_usage(v.raw);
        } else if (m.key == "service_tier" && v.type == json_type::string) {
            out.service_tier = v.raw;
        } else if (m.key == "system_fingerprint" && v.type == json_type::string) {
            out.system_fingerprint = v.raw;
        } else if (m.key == "choices" && v.type == json_type::array) {
            choices = true;
            for (const json_value& c : json_elements(v)) {
                if (auto read = read_choice(c, out); !read) return unreadable(body);
            }
        } else if (m.key != "object") {
            out.extras.push_back({m.key, v.raw});
        }
    }
    if (!choices || out.choices.empty()) return unreadable(body);
    for (choice& c : out.choices) complete_calls(c, out);
    return {};
}

}  // namespace sluice::chat::openai
