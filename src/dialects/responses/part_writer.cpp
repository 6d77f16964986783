#include "dialects/responses/part_writer.hpp"

#include "dialects/values.hpp"

namespace sluice::chat::responses {
namespace {

using http::json_writer;

void member(json_writer& w, std::string_view key, json value) {
    if (!value.empty()) w.key(key).raw(value);
}

void open_part(json_writer& w, std::string_view type) {
    w.begin_object().key("type").string(type);
}

// False: the part cannot be said, and the reason is in `why`.
bool open_image(const media_part& m, text_arena& arena, json_writer& w) {
    open_part(w, "input_image");
    if (m.file_id.empty()) {
        w.key("image_url").raw(m.url.empty() ? data_url_of(m.mime, m.base64, arena) : m.url);
    } else {
        w.key("file_id").raw(m.file_id);
    }
    // Some servers want it, though it may be left out.
    w.key("detail").raw(m.detail.empty() ? json{R"("auto")"} : m.detail);
    return true;
}

bool open_document(const media_part& m, text_arena& arena, json_writer& w) {
    if (!m.text.empty()) {
        open_part(w, "input_text");
        w.key("text").raw(m.text);
        return true;
    }
    open_part(w, "input_file");
    if (!m.file_id.empty()) {
        w.key("file_id").raw(m.file_id);
        member(w, "filename", m.name);
    } else if (!m.url.empty()) {
        w.key("file_url").raw(m.url);
        member(w, "filename", m.name);
    } else {
        // Data without a name is refused.
        w.key("filename").raw(m.name.empty() ? json{R"("document.pdf")"} : m.name);
        w.key("file_data").raw(data_url_of(m.mime, m.base64, arena));
    }
    member(w, "detail", m.detail);
    return true;
}

bool open_audio(const media_part& m, text_arena& arena, json_writer& w) {
    std::string_view format = m.mime.substr(m.mime.find('/') + 1);
    if (format == "mpeg") format = "mp3";
    if (format == "x-wav" || format == "wave") format = "wav";
    open_part(w, "input_audio");
    w.key("input_audio").begin_object().key("data").raw(enclose(m.base64, arena));
    w.key("format").string(format).end_object();
    return true;
}

// Leaves the object open. What it returns otherwise completes "cannot take ___".
std::string_view open_media(const media_part& m, text_arena& arena, json_writer& w) {
    if (!m.file_id.empty() && m.from != "openai") return "a file that was uploaded to another provider";
    switch (m.what) {
        case media_kind::image:
            open_image(m, arena, w);
            return {};
        case media_kind::document:
            open_document(m, arena, w);
            return {};
        case media_kind::audio:
            if (m.base64.empty()) return "audio by URL or file id";
            open_audio(m, arena, w);
            return {};
        case media_kind::video:
            break;
    }
    return "a video";
}

void open_text(const text_part& t, const std::string& at, side s, writing& x, json_writer& w) {
    open_part(w, s == side::output ? "output_text" : "input_text");
    w.key("text").raw(t.text);
    const bool ours = t.from == "openai";
    if (s == side::output) w.key("annotations").raw(ours && !t.citations.empty() ? t.citations : json{"[]"});
    if (!t.citations.empty() && (!ours || s == side::input)) x.lost.hint(at + ".citations");
}

}  // namespace

void write_extras(const extra_fields& extras, const std::string& at, writing& x, json_writer& w) {
    if (!x.own) return x.lost.hints(extras, at);
    for (const extra_field& f : extras) w.key(f.key).raw(f.value);
}

bool is_inline(const part& p, side s) {
    if (std::holds_alternative<text_part>(p.value) || std::holds_alternative<refusal_part>(p.value)) return true;
    return s == side::input && std::holds_alternative<media_part>(p.value);
}

const text_part* plain_text(const part& p) {
    if (!p.extras.empty()) return nullptr;
    const auto* text = std::get_if<text_part>(&p.value);
    return text != nullptr && text->citations.empty() ? text : nullptr;
}

result<void> write_part(const part& p, const std::string& at, side s, writing& x, json_writer& w) {
    if (const auto* text = std::get_if<text_part>(&p.value)) {
        open_text(*text, at, s, x, w);
    } else if (const auto* refusal = std::get_if<refusal_part>(&p.value)) {
        open_part(w, s == side::output ? "refusal" : "input_text");
        w.key(s == side::output ? "refusal" : "text").raw(refusal->text);
    } else if (const auto* media = std::get_if<media_part>(&p.value)) {
        const std::string_view lost = open_media(*media, x.arena, w);
        if (!lost.empty()) return x.lost.feature(at, lost);
        if (!media->text.empty() && !media->name.empty()) x.lost.hint(at + ".title");
    } else {
        return x.lost.feature(at, "a call, reasoning or native part there");
    }
    if (!p.cache_control.empty()) x.lost.hint(at + ".cache_control");
    write_extras(p.extras, at + ".", x, w);
    w.end_object();
    return {};
}

result<void> write_output(const tool_result& r, const std::string& at, writing& x, json_writer& w) {
    if (!r.structured.empty() || r.content.empty()) {
        w.raw(text_of(r, x.arena));
        return {};
    }
    const text_part* const only = r.content.size() == 1 ? plain_text(r.content.front()) : nullptr;
    if (only != nullptr) {
        if (!r.content.front().cache_control.empty()) x.lost.hint(at + ".content[0].cache_control");
        w.raw(only->text);
        return {};
    }
    w.begin_array();
    for (std::size_t i = 0; i < r.content.size(); ++i) {
        auto written = write_part(r.content[i], at + ".content[" + std::to_string(i) + "]", side::input, x, w);
        if (!written) return written;
    }
    w.end_array();
    return {};
}

}  // namespace sluice::chat::responses
