#include "dialects/anthropic/block_writer.hpp"

#include "dialects/values.hpp"

namespace sluice::chat::anthropic {
namespace {

constexpr std::string_view prefixes[] = {thinking_prefix, output_config_prefix, tool_choice_prefix, source_prefix};

bool has_prefix(std::string_view key) {
    for (const std::string_view prefix : prefixes) {
        if (key.starts_with(prefix)) return true;
    }
    return false;
}

json text_of_part(const part& p) {
    if (const auto* text = std::get_if<text_part>(&p.value)) return text->text;
    if (const auto* refusal = std::get_if<refusal_part>(&p.value)) return refusal->text;
    return {};
}

bool is_plain_text(const block& b, bool native) {
    const part& p = *b.from;
    if (!p.cache_control.empty() || (native && !p.extras.empty())) return false;
    const auto* text = std::get_if<text_part>(&p.value);
    if (text != nullptr) return text->citations.empty() || text->from != maker_name;
    return std::holds_alternative<refusal_part>(p.value);
}

void write_media(json_output& o, const block& b, const media_part& m, bool native) {
    o.key("type").w.raw(m.what == media_kind::image ? "\"image\"" : "\"document\"");
    o.key("source");
    write_source(o, m, b.text, native ? &b.from->extras : nullptr);
    if (m.what == media_kind::document) o.member("title", m.name);
}

void write_call(json_output& o, const block& b, const tool_call& call) {
    o.key("type").w.raw("\"tool_use\"");
    o.member("id", b.id);
    o.member("name", call.name);
    o.member("input", b.input);
}

void write_result(json_output& o, const block& b, const tool_result& r, bool native) {
    o.key("type").w.raw("\"tool_result\"");
    o.member("tool_use_id", b.id);
    if (!b.text.empty()) {
        o.member("content", b.text);
    } else if (!b.content.empty()) {
        o.key("content");
        write_content(o, b.content, native);
    }
    if (r.is_error) o.member("is_error", "true");
}

void write_thinking(json_output& o, const reasoning_part& r) {
    if (!r.encrypted.empty()) {
        o.key("type").w.raw("\"redacted_thinking\"");
        o.key("data").quoted(r.encrypted);
        return;
    }
    o.key("type").w.raw("\"thinking\"");
    o.member("thinking", r.text.empty() ? json{"\"\""} : r.text);
    o.key("signature").quoted(r.signature);
}

}  // namespace

void json_output::extras(const extra_fields& fields, std::string_view prefix) {
    for (const extra_field& f : fields) {
        if (prefix.empty() ? has_prefix(f.key) : !f.key.starts_with(prefix)) continue;
        quoted(f.key.substr(prefix.size()));
        out.append(1, ':').append(f.value);
    }
}

void write_source(json_output& o, const media_part& m, json text, const extra_fields* extras) {
    o.w.begin_object();
    if (!text.empty() || !m.text.empty()) {
        o.key("type").w.raw("\"text\"");
        o.key("media_type").w.raw("\"text/plain\"");
        o.member("data", text.empty() ? m.text : text);
    } else if (!m.url.empty()) {
        o.key("type").w.raw("\"url\"");
        o.member("url", m.url);
    } else if (!m.file_id.empty()) {
        o.key("type").w.raw("\"file\"");
        o.member("file_id", m.file_id);
    } else {
        o.key("type").w.raw("\"base64\"");
        o.key("media_type").w.string(m.mime == "image/jpg" ? std::string_view{"image/jpeg"} : m.mime);
        o.key("data").quoted(m.base64);
    }
    if (extras != nullptr) o.extras(*extras, source_prefix);
    o.w.end_object();
}

void write_block(json_output& o, const block& b, bool native) {
    const part& p = *b.from;
    if (const auto* whole = std::get_if<native_part>(&p.value)) {
        o.w.raw(whole->value);
        return;
    }
    o.w.begin_object();
    if (const auto* media = std::get_if<media_part>(&p.value)) {
        write_media(o, b, *media, native);
    } else if (const auto* call = std::get_if<tool_call>(&p.value)) {
        write_call(o, b, *call);
    } else if (const auto* answer = std::get_if<tool_result>(&p.value)) {
        write_result(o, b, *answer, native);
    } else if (const auto* thinking = std::get_if<reasoning_part>(&p.value)) {
        write_thinking(o, *thinking);
    } else {
        o.key("type").w.raw("\"text\"");
        o.member("text", text_of_part(p));
        const auto* text = std::get_if<text_part>(&p.value);
        if (text != nullptr && text->from == maker_name) o.member("citations", text->citations);
    }
    o.member("cache_control", p.cache_control);
    if (native) o.extras(p.extras);
    o.w.end_object();
}

void write_content(json_output& o, const std::vector<block>& blocks, bool native) {
    if (blocks.size() == 1 && is_plain_text(blocks.front(), native)) {
        o.w.raw(text_of_part(*blocks.front().from));
        return;
    }
    o.w.begin_array();
    for (const block& b : blocks) write_block(o, b, native);
    o.w.end_array();
}

}  // namespace sluice::chat::anthropic
