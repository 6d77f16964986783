#include "dialects/openai/openai.hpp"
#include "dialects/openai/part_writer.hpp"
#include "dialects/values.hpp"
#include "http/json_writer.hpp"

#include <algorithm>

namespace sluice::chat::openai {
namespace {

using http::json_writer;

void write_thinking_blocks(const choice& c, text_arena& arena, json_writer& w) {
    bool any = false;
    for (const part& p : c.content) {
        const auto* r = std::get_if<reasoning_part>(&p.value);
        if (r == nullptr || (r->signature.empty() && r->encrypted.empty())) continue;
        if (!any) w.key("thinking_blocks").begin_array();
        any = true;
        const bool hidden = r->signature.empty();
        const json_chars secret = tag_foreign(hidden ? r->encrypted : r->signature, r->from, "anthropic", arena);
        w.begin_object().key("type").string(hidden ? "redacted_thinking" : "thinking");
        if (!hidden) w.key("thinking").raw(r->text.empty() ? json{R"("")"} : r->text);
        w.key(hidden ? "data" : "signature").raw(enclose(secret, arena)).end_object();
    }
    if (any) w.end_array();
}

void write_images(const choice& c, text_arena& arena, json_writer& w) {
    bool any = false;
    for (const part& p : c.content) {
        const auto* m = std::get_if<media_part>(&p.value);
        if (m == nullptr || m->what != media_kind::image) continue;
        if (!any) w.key("images").begin_array();
        any = true;
        w.begin_object().key("type").string("image_url").key("image_url").begin_object();
        w.key("url").raw(m->url.empty() ? data_url_of(m->mime, m->base64, arena) : m->url).end_object().end_object();
    }
    if (any) w.end_array();
}

// The texts of one kind, as they follow each other, in one string; null when there are none.
template <class Part>
json joined(const choice& c, text_arena& arena) {
    std::string all;
    json only;
    int n = 0;
    for (const part& p : c.content) {
        const auto* t = std::get_if<Part>(&p.value);
        if (t == nullptr || t->text.empty()) continue;
        only = t->text;
        all.append(chars_of(t->text));
        ++n;
    }
    if (n == 0) return "null";
    return n == 1 ? only : enclose(all, arena);
}

void write_message(const choice& c, text_arena& arena, json_writer& w) {
    const json refusal = joined<refusal_part>(c, arena);
    const bool calls = std::any_of(c.content.begin(), c.content.end(),
                                   [](const part& p) { return std::holds_alternative<tool_call>(p.value); });
    json said = joined<text_part>(c, arena);
    // Clients expect a text where the model could have written one.
    if (said == "null" && refusal == "null" && !calls) said = R"("")";
    w.begin_object().key("role").string("assistant").key("content").raw(said).key("refusal").raw(refusal);
    if (const json thoughts = joined<reasoning_part>(c, arena); thoughts != "null")
        w.key("reasoning_content").raw(thoughts);
    write_thinking_blocks(c, arena, w);
    write_images(c, arena, w);
    json annotations = "[]";
    for (const part& p : c.content) {
        const auto* text = std::get_if<text_part>(&p.value);
        if (text != nullptr && text->from == "openai" && !text->citations.empty()) annotations = text->citations;
        const auto* native = std::get_if<native_part>(&p.value);
        if (native != nullptr && native->dialect == chat_name) w.key(native->type).raw(native->value);
    }
    if (calls) {
        w.key("tool_calls").begin_array();
        for (const part& p : c.content) {
            if (const auto* call = std::get_if<tool_call>(&p.value)) write_call(*call, arena, w);
        }
        w.end_array();
    }
    w.key("annotations").raw(annotations).end_object();
}

}  // namespace

void write_chat_answer(const answer& a, const client_call& call, std::string& out) {
    text_arena arena;
    json_writer w(out);
    w.begin_object().key("id");
    if (a.id.empty()) {
        w.string("chatcmpl-" + std::string(call.request_id));
    } else {
        w.raw(a.id);
    }
    w.key("object").string("chat.completion").key("created").integer(a.created > 0 ? a.created : call.now).key("model");
    if (a.model.empty()) {
        w.string(call.model);
    } else {
        w.raw(a.model);
    }
    w.key("choices").begin_array();
    for (const choice& c : a.choices) {
        w.begin_object().key("index").integer(c.index).key("message");
        write_message(c, arena, w);
        w.key("logprobs").raw(c.logprobs.empty() ? json{"null"} : c.logprobs);
        w.key("finish_reason").string(finish_name(c.finish)).end_object();
    }
    w.end_array();
    if (a.usage.reported()) {
        std::string usage;
        write_chat_usage(a.usage, usage);
        w.key("usage").raw(usage);
    }
    if (!a.service_tier.empty()) w.key("service_tier").raw(a.service_tier);
    if (!a.system_fingerprint.empty()) w.key("system_fingerprint").raw(a.system_fingerprint);
    w.end_object();
}

}  // namespace sluice::chat::openai
