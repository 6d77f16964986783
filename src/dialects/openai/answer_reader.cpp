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

// A string, or parts as Mistral gives them: {"type":"text"|"thinking", ...}.
void read_said(const json_value& content, json annotations, std::vector<part>& out) {
    if (content.type == json_type::string) return read_annotated_text(content.raw, annotations, out);
    each_element(content.raw, [&](const json_value& p) {
        json type, text;
        each_member(p.raw, [&](std::string_view key, const json_value& v) {
            if (key == "type") type = v.raw;
            if (key == "text") text = v.raw;
            if (key != "thinking") return;
            text = v.raw;
            each_element(v.raw, [&](const json_value& inner) {
                each_member(inner.raw, [&](std::string_view k, const json_value& x) {
                    if (k == "text") text = x.raw;
                });
            });
        });
        if (!is_string(text)) return;
        if (says(type, "thinking")) {
            reasoning_part r;
            r.text = text;
            r.from = "openai";
            out.push_back({r});
        } else {
            read_annotated_text(text, {}, out);
        }
    });
}

void read_images(json images, text_arena& arena, std::vector<part>& out) {
    each_element(images, [&](const json_value& image) {
        each_member(image.raw, [&](std::string_view key, const json_value& v) {
            if (key != "image_url") return;
            json url = v.raw;
            each_member(v.raw, [&](std::string_view k, const json_value& x) {
                if (k == "url") url = x.raw;
            });
            media_part m;
            if (const auto data = read_data_url(url, arena)) {
                m.base64 = data->base64;
                m.mime = data->mime;
            } else {
                m.url = url;
            }
            out.push_back({m});
        });
    });
}

struct loose_answer {
    json_value content;
    json reasoning, refusal, annotations, tool_calls, images, audio;
};

result<void> read_message(const json_value& v, choice& out, answer& a) {
    loose_answer m;
    each_member(v.raw, [&](std::string_view key, const json_value& x) {
        if (x.type == json_type::null) return;
        if (key == "content") m.content = x;
        if (key == "reasoning_content" || key == "reasoning")
            m.reasoning = x.type == json_type::string ? x.raw : json{};
        if (key == "refusal") m.refusal = x.raw;
        if (key == "annotations") m.annotations = x.raw == "[]" ? json{} : x.raw;
        if (key == "tool_calls") m.tool_calls = x.raw;
        if (key == "images") m.images = x.raw;
        if (key == "audio") m.audio = x.raw;
    });
    if (!m.reasoning.empty() && !is_empty_string(m.reasoning)) {
        reasoning_part r;
        r.text = m.reasoning;
        r.from = "openai";
        out.content.push_back({r});
    }
    read_said(m.content, m.annotations, out.content);
    read_images(m.images, a.arena, out.content);
    if (is_string(m.refusal)) out.content.push_back({refusal_part{m.refusal}});
    if (!m.audio.empty()) out.content.push_back({native_part{m.audio, chat_name, "audio"}});
    result<void> read;
    each_element(m.tool_calls, [&](const json_value& call) {
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

result<void> read_choice(const json_value& v, answer& a) {
    choice c;
    result<void> read;
    each_member(v.raw, [&](std::string_view key, const json_value& x) {
        if (!read) return;
        if (key == "index") c.index = x.integer().value_or(0);
        if (key == "message") read = read_message(x, c, a);
        if (key == "finish_reason") c.finish = finish_of(x.raw);
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
        } else if (m.key == "service_tier") {
            out.service_tier = v.raw;
        } else if (m.key == "system_fingerprint") {
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
    return {};
}

}  // namespace sluice::chat::openai
