#include "dialects/openai/part_reader.hpp"

#include "dialects/values.hpp"

#include <optional>

namespace sluice::chat::openai {
namespace {

// The members of a part's inner object ({"type":"image_url","image_url":{...}}) that are strings.
struct inner_strings {
    json url, detail, data, format, file_data, file_id, filename;
};

inner_strings strings_of(const json_value& v) {
    inner_strings s;
    if (v.type == json_type::string) s.url = v.raw;  // "image_url": "https://..." is common
    each_member(v.raw, [&](std::string_view key, const json_value& m) {
        if (m.type != json_type::string) return;
        if (key == "url") s.url = m.raw;
        if (key == "detail") s.detail = m.raw;
        if (key == "data") s.data = m.raw;
        if (key == "format") s.format = m.raw;
        if (key == "file_data") s.file_data = m.raw;
        if (key == "file_id") s.file_id = m.raw;
        if (key == "filename") s.filename = m.raw;
    });
    return s;
}

std::string_view audio_type(json format, text_arena& arena) {
    if (says(format, "mp3")) return "audio/mpeg";
    if (format.empty() || says(format, "wav")) return "audio/wav";
    return arena.keep("audio/" + decode(format));
}

result<media_part> read_url_media(media_kind what, const inner_strings& s, const std::string& at, text_arena& arena) {
    media_part m;
    m.what = what;
    m.detail = s.detail;
    if (s.url.empty()) return error{error_kind::bad_request, "`" + at + "` has no `url`.", at};
    if (const auto data = read_data_url(s.url, arena)) {
        m.mime = data->mime;
        m.base64 = data->base64;
    } else {
        m.url = s.url;
    }
    return m;
}

result<media_part> read_file(const inner_strings& s, const std::string& at, text_arena& arena) {
    media_part m;
    m.what = media_kind::document;
    m.name = s.filename;
    if (!s.file_id.empty()) {
        m.file_id = s.file_id;
        m.from = "openai";
        return m;
    }
    if (s.file_data.empty())
        return error{error_kind::bad_request, "`" + at + "` has neither `file_data` nor `file_id`.", at};
    if (const auto data = read_data_url(s.file_data, arena)) {
        m.mime = data->mime;
        m.base64 = data->base64;
    } else {
        m.mime = "application/pdf";  // bare base64 is taken for what these parts were made for
        m.base64 = chars_of(s.file_data);
    }
    return m;
}

struct loose_part {
    json type, text, refusal;
    std::optional<json_value> image_url, video_url, input_audio, file;
};

loose_part look_at(const json_object& o, part& out) {
    loose_part p;
    for (const json_member& m : o.members()) {
        if (m.key == "type") {
            p.type = m.value.raw;
        } else if (m.key == "text") {
            p.text = m.value.raw;
        } else if (m.key == "refusal") {
            p.refusal = m.value.raw;
        } else if (m.key == "image_url") {
            p.image_url = m.value;
        } else if (m.key == "video_url") {
            p.video_url = m.value;
        } else if (m.key == "input_audio") {
            p.input_audio = m.value;
        } else if (m.key == "file") {
            p.file = m.value;
        } else if (m.key == "cache_control") {
            out.cache_control = m.value.type == json_type::object ? m.value.raw : json{};
        } else if (m.value.type != json_type::null) {
            out.extras.push_back({m.key, m.value.raw});
        }
    }
    return p;
}

template <class T>
result<void> put(result<T> value, part& out) {
    if (!value) return value.error();
    out.value = std::move(*value);
    return {};
}

result<void> read_part(const json_value& v, const std::string& at, text_arena& arena, part& out) {
    const auto o = json_object::inside(v);
    if (!o) return v.type == json_type::object ? o.error() : wrong_type(at, "an object");
    const loose_part p = look_at(*o, out);
    const auto missing = [&](std::string_view field) {
        return error{error_kind::bad_request, "`" + at + "." + std::string(field) + "` is missing or no string.",
                     at + "." + std::string(field)};
    };
    if (says(p.type, "text")) {
        if (!is_string(p.text)) return missing("text");
        out.value = text_part{p.text, {}, {}};
        return {};
    }
    if (says(p.type, "refusal")) {
        if (!is_string(p.refusal)) return missing("refusal");
        out.value = refusal_part{p.refusal};
        return {};
    }
    if (says(p.type, "image_url") && p.image_url)
        return put(read_url_media(media_kind::image, strings_of(*p.image_url), at + ".image_url", arena), out);
    if (says(p.type, "video_url") && p.video_url)
        return put(read_url_media(media_kind::video, strings_of(*p.video_url), at + ".video_url", arena), out);
    if (says(p.type, "file") && p.file) return put(read_file(strings_of(*p.file), at + ".file", arena), out);
    if (says(p.type, "input_audio") && p.input_audio) {
        const inner_strings s = strings_of(*p.input_audio);
        if (s.data.empty()) return missing("input_audio.data");
        media_part m;
        m.what = media_kind::audio;
        m.base64 = chars_of(s.data);
        m.mime = audio_type(s.format, arena);
        out.value = m;
        return {};
    }
    return error{error_kind::bad_request,
                 "`" + at +
                     ".type` must be text, image_url, input_audio, file, video_url or refusal, with the member of "
                     "that name.",
                 at + ".type"};
}

}  // namespace

result<void> read_content(const json_value& v, const std::string& at, conversation& c, std::vector<part>& out) {
    if (v.type == json_type::string) {
        out.push_back({text_part{v.raw, {}, {}}});
        return {};
    }
    if (v.type != json_type::array) return wrong_type(at + ".content", "a string or an array of parts");
    result<void> read;
    std::size_t index = 0;
    each_element(v.raw, [&](const json_value& element) {
        if (!read) return;
        const std::string place = at + ".content[" + std::to_string(index) + "]";
        if (index++ == list_max) {
            read = error{error_kind::bad_request, "`" + at + ".content` has more than 65536 parts.", at + ".content"};
            return;
        }
        part p;
        read = read_part(element, place, c.arena, p);
        if (read) out.push_back(std::move(p));
    });
    return read;
}

result<part> read_call(const json_value& v, const std::string& at) {
    const auto o = json_object::inside(v);
    if (!o) return v.type == json_type::object ? o.error() : wrong_type(at, "an object");
    part out;
    tool_call call;
    json body;
    for (const json_member& m : o->members()) {
        if (m.key == "id") {
            call.id = m.value.raw;
        } else if (m.key == "function" || m.key == "custom") {
            if (m.key == "custom") call.what = tool_call::kind::custom;
            body = m.value.raw;
        } else if (m.key == "extra_content") {
            each_member(m.value.raw, [&](std::string_view vendor, const json_value& extra) {
                if (vendor != "google") return;
                each_member(extra.raw, [&](std::string_view key, const json_value& s) {
                    if (key != "thought_signature") return;
                    call.signature = chars_of(s.raw);
                    call.signed_by = "gemini";
                });
            });
        } else if (m.key != "type" && m.key != "index" && m.value.type != json_type::null) {
            out.extras.push_back({m.key, m.value.raw});
        }
    }
    each_member(body, [&](std::string_view key, const json_value& m) {
        if (key == "name") call.name = m.raw;
        if (key == "arguments" || key == "input") call.arguments = m.raw;
    });
    if (!is_string(call.id)) return wrong_type(at + ".id", "a string");
    if (!is_string(call.name)) return wrong_type(at + ".function.name", "a string");
    const json_type form = type_of(call.arguments);
    if (call.arguments.empty())
        call.arguments = R"("")";
    else if (form != json_type::string && form != json_type::object)
        return wrong_type(at + ".function.arguments", "a string");
    out.value = std::move(call);
    return out;
}

}  // namespace sluice::chat::openai
