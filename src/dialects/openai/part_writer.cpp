#include "dialects/openai/part_writer.hpp"

#include "dialects/openai/openai.hpp"
#include "dialects/values.hpp"

namespace sluice::chat::openai {
namespace {

using http::json_writer;

void open_part(json_writer& w, std::string_view type) {
    w.begin_object().key("type").string(type);
}

json url_of(const media_part& m, text_arena& arena) {
    return m.url.empty() ? data_url_of(m.mime, m.base64, arena) : m.url;
}

void write_image(const media_part& m, text_arena& arena, json_writer& w) {
    const std::string_view type = m.what == media_kind::video ? "video_url" : "image_url";
    open_part(w, type);
    w.key(type).begin_object().key("url").raw(url_of(m, arena));
    if (!m.detail.empty()) w.key("detail").raw(m.detail);
    w.end_object();
}

void write_audio(const media_part& m, json_writer& w) {
    open_part(w, "input_audio");
    std::string_view format = m.mime;
    if (const auto slash = format.find('/'); slash != std::string_view::npos) format.remove_prefix(slash + 1);
    if (format == "mpeg") format = "mp3";
    if (format == "x-wav" || format == "wave") format = "wav";
    w.key("input_audio")
        .begin_object()
        .key("data")
        .raw("\"" + std::string(m.base64) + "\"")
        .key("format")
        .string(format);
    w.end_object();
}

void write_file(const media_part& m, text_arena& arena, json_writer& w) {
    open_part(w, "file");
    w.key("file").begin_object();
    if (m.file_id.empty()) {
        // OpenAI refuses a file without a name.
        w.key("filename").raw(m.name.empty() ? json{R"("document.pdf")"} : m.name);
        w.key("file_data").raw(data_url_of(m.mime, m.base64, arena));
    } else {
        w.key("file_id").raw(m.file_id);
        if (!m.name.empty()) w.key("filename").raw(m.name);
    }
    w.end_object();
}

// Writes the part without its closing brace; nothing was written when `written` is false.
result<bool> open_media(const media_part& m, const std::string& at, losses& lost, text_arena& arena, json_writer& w) {
    const auto refuse = [&](std::string_view what) -> result<bool> {
        auto dropped = lost.feature(at, what);
        if (!dropped) return dropped.error();
        return false;
    };
    if (!m.file_id.empty() && m.from != "openai") return refuse("a file that was uploaded to another provider");
    if (!m.text.empty()) {
        if (!m.name.empty()) lost.hint(at + ".title");
        open_part(w, "text");
        w.key("text").raw(m.text);
        return true;
    }
    switch (m.what) {
        case media_kind::image:
            if (!m.file_id.empty()) return refuse("an image by its file id");
            write_image(m, arena, w);
            return true;
        case media_kind::video:
            if (!m.file_id.empty()) return refuse("a video by its file id");
            write_image(m, arena, w);
            return true;
        case media_kind::audio:
            if (m.base64.empty()) return refuse("audio by URL");
            write_audio(m, w);
            return true;
        case media_kind::document:
            if (!m.url.empty()) return refuse("a document by URL");
            write_file(m, arena, w);
            return true;
    }
    return false;
}

}  // namespace

result<bool> write_part(const part& p, const std::string& at, const conversation& c, const chat_quirks& q, losses& lost,
                        text_arena& arena, json_writer& w) {
    if (const auto* text = std::get_if<text_part>(&p.value)) {
        open_part(w, "text");
        w.key("text").raw(text->text);
    } else if (const auto* refusal = std::get_if<refusal_part>(&p.value)) {
        open_part(w, "refusal");
        w.key("refusal").raw(refusal->text);
    } else if (const auto* media = std::get_if<media_part>(&p.value)) {
        const auto open = open_media(*media, at, lost, arena, w);
        if (!open || !*open) return open;
    } else if (const auto* native = std::get_if<native_part>(&p.value)) {
        auto dropped =
            lost.feature(at, "what only " + std::string(native->dialect) + " knows: " + std::string(native->type));
        if (!dropped) return dropped.error();
        return false;
    } else {
        lost.hint(at);  // a call or reasoning where neither has a place
        return false;
    }
    if (!p.cache_control.empty() && q.cache_control) w.key("cache_control").raw(p.cache_control);
    if (!p.cache_control.empty() && !q.cache_control) lost.hint(at + ".cache_control");
    if (c.dialect == chat_name) {
        for (const extra_field& f : p.extras) w.key(f.key).raw(f.value);
    } else {
        lost.hints(p.extras, at + ".");
    }
    w.end_object();
    return true;
}

namespace {

void open_call(const tool_call& call, bool with_signature, text_arena& arena, json_writer& w) {
    const bool custom = call.what == tool_call::kind::custom;
    w.begin_object().key("id").raw(call.id.empty() ? json{R"("")"} : call.id);
    w.key("type").string(custom ? "custom" : "function").key(custom ? "custom" : "function").begin_object();
    w.key("name").raw(call.name);
    if (custom) {
        w.key("input").raw(call.arguments.empty() ? json{R"("")"} : call.arguments);
    } else {
        w.key("arguments").raw(arguments_string(call, arena));
    }
    w.end_object();
    if (with_signature && !call.signature.empty() && call.signed_by == "gemini") {
        w.key("extra_content").begin_object().key("google").begin_object();
        w.key("thought_signature").raw("\"" + std::string(call.signature) + "\"").end_object().end_object();
    }
}

}  // namespace

void write_call(const part& p, const conversation& c, text_arena& arena, json_writer& w) {
    const auto& call = std::get<tool_call>(p.value);
    // Who does not speak Gemini's form of it has no use for it, and may refuse it.
    open_call(call, c.dialect == chat_name, arena, w);
    if (c.dialect == chat_name) {
        for (const extra_field& f : p.extras) w.key(f.key).raw(f.value);
    }
    w.end_object();
}

void write_call(const tool_call& call, text_arena& arena, json_writer& w) {
    open_call(call, true, arena, w);
    w.end_object();
}

}  // namespace sluice::chat::openai
