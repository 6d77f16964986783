#include "dialects/responses/part_reader.hpp"

#include <algorithm>

namespace sluice::chat::responses {
namespace {

void put_url(media_part& m, json url, text_arena& arena) {
    if (const auto data = read_data_url(url, arena)) {
        m.mime = data->mime;
        m.base64 = data->base64;
    } else {
        m.url = url;
    }
}

void put_file_id(media_part& m, json id) {
    m.file_id = id;
    if (!id.empty()) m.from = "openai";
}

json detail_of(fields& f) {
    const json detail = f.string("detail");
    return says(detail, "auto") ? json{} : detail;  // what is meant without it
}

text_part read_text(fields& f, part& out) {
    text_part t;
    t.text = f.string("text", need::required);
    const json annotations = f.array("annotations");
    if (!annotations.empty() && annotations != "[]") {
        t.citations = annotations;
        t.from = "openai";
    }
    const json logprobs = f.array("logprobs");
    if (!logprobs.empty() && logprobs != "[]") out.extras.push_back({"logprobs", logprobs});
    return t;
}

media_part read_image(checker& check, fields& f, text_arena& arena) {
    media_part m;
    const json url = f.string("image_url");
    put_file_id(m, f.string("file_id"));
    if (url.empty() == m.file_id.empty())
        check.refuse(f.where(), "must have exactly one of `image_url` and `file_id`.");
    if (!url.empty()) put_url(m, url, arena);
    m.detail = detail_of(f);
    return m;
}

media_part read_file(checker& check, fields& f, text_arena& arena) {
    media_part m;
    m.what = media_kind::document;
    const json data = f.string("file_data");
    const json url = f.string("file_url");
    put_file_id(m, f.string("file_id"));
    m.name = f.string("filename");
    m.detail = detail_of(f);
    const int given = (data.empty() ? 0 : 1) + (url.empty() ? 0 : 1) + (m.file_id.empty() ? 0 : 1);
    if (given != 1) check.refuse(f.where(), "must have exactly one of `file_data`, `file_url` and `file_id`.");
    if (!url.empty()) put_url(m, url, arena);
    if (data.empty()) return m;
    if (const auto pieces = read_data_url(data, arena)) {
        m.mime = pieces->mime;
        m.base64 = pieces->base64;
    } else {
        m.mime = "application/pdf";  // bare base64 is taken for what these parts were made for
        m.base64 = chars_of(data);
    }
    return m;
}

media_part read_audio(checker& check, fields& f, text_arena& arena) {
    media_part m;
    m.what = media_kind::audio;
    const place where = f.where().in("input_audio");
    const auto inner = f.any("input_audio", need::required);
    if (!inner) return m;
    fields audio(check, *inner, where);
    m.base64 = chars_of(audio.string("data", need::required));
    const json format = audio.string("format");
    m.mime = says(format, "mp3")                     ? std::string_view{"audio/mpeg"}
             : format.empty() || says(format, "wav") ? std::string_view{"audio/wav"}
                                                     : arena.keep("audio/" + decode(format));
    return m;
}

void read_part(checker& check, const json_value& v, const place& where, text_arena& arena, part& out) {
    fields f(check, v, where);
    const json type = f.string("type", need::required);
    if (!check.ok()) return;
    if (says(type, "input_text") || says(type, "output_text") || says(type, "text")) {
        out.value = read_text(f, out);
    } else if (says(type, "refusal")) {
        out.value = refusal_part{f.string("refusal", need::required)};
    } else if (says(type, "input_image")) {
        out.value = read_image(check, f, arena);
    } else if (says(type, "input_file")) {
        out.value = read_file(check, f, arena);
    } else if (says(type, "input_audio")) {
        out.value = read_audio(check, f, arena);
    } else {
        return check.refuse(where.in("type"),
                            "must be input_text, input_image, input_file, input_audio, output_text or refusal.");
    }
    out.cache_control = f.object("cache_control");
    f.rest(out.extras);
}

}  // namespace

void read_parts(checker& check, const json_value& content, const place& where, text_arena& arena,
                std::vector<part>& out) {
    if (content.type == json_type::string) {
        out.push_back({text_part{content.raw, {}, {}}});
        return;
    }
    if (content.type != json_type::array) return check.refuse(where, "must be a string or an array of parts.");
    each_checked(check, content.raw, where,
                 [&](const json_value& v, const place& at) { read_part(check, v, at, arena, out.emplace_back()); });
}

void drop_default(extra_fields& extras, std::string_view key, json value) {
    std::erase_if(extras, [&](const extra_field& f) { return f.key == key && f.value == value; });
}

}  // namespace sluice::chat::responses
