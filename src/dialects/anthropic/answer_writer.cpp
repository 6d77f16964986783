#include "dialects/anthropic/answers.hpp"
#include "dialects/anthropic/block_writer.hpp"
#include "dialects/anthropic/terms.hpp"
#include "dialects/anthropic/usage.hpp"
#include "dialects/values.hpp"

namespace sluice::chat::anthropic {
namespace {

void write_text(json_output& o, json text, const text_part* part_of) {
    o.key("type").w.raw("\"text\"");
    o.member("text", text.empty() ? json{"\"\""} : text);
    if (part_of != nullptr && part_of->from == maker_name) o.member("citations", part_of->citations);
}

// A call whose arguments are no object is passed on as what the model wrote, for the client to refuse.
void write_call(json_output& o, const tool_call& call, std::string_view request_id, std::size_t number) {
    text_arena arena;
    o.key("type").w.raw("\"tool_use\"");
    o.member("id", call.id.empty() ? make_call_id(request_id, number, arena) : call.id);
    o.member("name", call.name.empty() ? json{"\"\""} : call.name);
    o.key("input");
    if (const auto input = arguments_object(call, arena)) {
        o.w.raw(*input);
        return;
    }
    o.w.begin_object();
    o.member("malformed_arguments", arguments_string(call, arena));
    o.w.end_object();
}

void write_reasoning(json_output& o, const reasoning_part& r) {
    text_arena arena;
    const json_chars proof = r.signature.empty() ? r.encrypted : r.signature;
    if (r.text.empty() && r.signature.empty() && !r.encrypted.empty()) {
        o.key("type").w.raw("\"redacted_thinking\"");
        o.key("data").quoted(pack_secret(proof, r.from, r.id, arena));
        return;
    }
    o.key("type").w.raw("\"thinking\"");
    o.member("thinking", r.text.empty() ? json{"\"\""} : r.text);
    o.key("signature").quoted(pack_secret(proof, r.from, r.id, arena));
}

bool write_media(json_output& o, const media_part& m) {
    if (m.what != media_kind::image && m.what != media_kind::document) return false;
    if (!m.file_id.empty() && m.from != maker_name) return false;
    o.w.begin_object();
    o.key("type").w.raw(m.what == media_kind::image ? "\"image\"" : "\"document\"");
    o.key("source");
    write_source(o, m, {}, nullptr);
    if (m.what == media_kind::document) o.member("title", m.name);
    o.w.end_object();
    return true;
}

}  // namespace

bool write_answer_block(const part& p, std::string_view request_id, std::size_t number, std::string& out) {
    json_output o(out);
    if (const auto* native = std::get_if<native_part>(&p.value)) {
        if (native->dialect == dialect_name) o.w.raw(native->value);
        return native->dialect == dialect_name;
    }
    if (const auto* media = std::get_if<media_part>(&p.value)) return write_media(o, *media);
    if (std::holds_alternative<tool_result>(p.value)) return false;
    o.w.begin_object();
    if (const auto* text = std::get_if<text_part>(&p.value)) {
        write_text(o, text->text, text);
    } else if (const auto* refusal = std::get_if<refusal_part>(&p.value)) {
        write_text(o, refusal->text, nullptr);
    } else if (const auto* call = std::get_if<tool_call>(&p.value)) {
        write_call(o, *call, request_id, number);
        for (const extra_field& f : p.extras) {
            if (f.key == "caller" || f.key == "toolset_name") o.member(f.key, f.value);
        }
    } else {
        write_reasoning(o, std::get<reasoning_part>(p.value));
    }
    o.w.end_object();
    return true;
}

void write_message(const answer& a, const client_call& call, std::string& out) {
    text_arena arena;
    const choice none;
    const choice& one = a.choices.empty() ? none : a.choices.front();  // this dialect has no second one
    json_output o(out);
    o.w.begin_object();
    o.member("id", a.id.empty() ? make_message_id(call.request_id, arena) : a.id);
    o.member("type", "\"message\"");
    o.member("role", "\"assistant\"");
    o.member("model", a.model.empty() ? quote(call.model, arena) : a.model);
    o.key("content").w.begin_array();
    bool calls = false;
    std::string block;
    for (std::size_t i = 0; i < one.content.size(); ++i) {
        block.clear();
        if (!write_answer_block(one.content[i], call.request_id, i, block)) continue;
        o.w.raw(block);
        const auto* made = std::get_if<tool_call>(&one.content[i].value);
        if (made == nullptr) continue;
        calls = true;
        const json_chars sealed = pack_call_secret(made->signature, made->signed_by, arena);
        if (sealed.empty()) continue;
        o.w.begin_object();
        o.member("type", "\"redacted_thinking\"");
        o.key("data").quoted(sealed);
        o.w.end_object();
    }
    o.w.end_array();
    o.member("stop_reason", stop_reason_of(one.finish, calls));
    o.member("stop_sequence", one.stop_sequence.empty() ? json{"null"} : one.stop_sequence);
    o.key("usage");
    write_usage(o.w, a.usage, a.service_tier);
    for (const extra_field& f : a.extras) {
        if (is_message_extra(f.key)) o.member(f.key, f.value);
    }
    o.w.end_object();
}

}  // namespace sluice::chat::anthropic
