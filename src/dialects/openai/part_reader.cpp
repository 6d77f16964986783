#include "dialects/openai/part_reader.hpp"

#include "dialects/values.hpp"

#include <sluice/message.hpp>

#include <optional>
#include <utility>

namespace sluice::chat::openai {
namespace {

// The members of a part's inner object ({"type":"image_url","image_url":{...}}) that are strings.
struct inner_strings {
    json url, detail, data, format, file_data, file_id, filename;
};

result<inner_strings> strings_of(const json_value& v, const std::string& at) {
    inner_strings s;
    if (v.type == json_type::string) s.url = v.raw;  // "image_url": "https://..." is common
    const auto o = v.type == json_type::object ? json_object::inside(v) : result<json_object>(json_object{});
    if (!o) return o.error();
    const std::pair<std::string_view, json*> known[] = {
        {"url", &s.url},         {"detail", &s.detail},       {"data", &s.data},         {"format", &s.format},
        {"file_id", &s.file_id}, {"file_data", &s.file_data}, {"filename", &s.filename},
    };
    for (const json_member& m : o->members()) {
        if (m.value.type == json_type::null) continue;
        for (const auto& [name, into] : known) {
            if (m.key != name) continue;
            if (m.value.type != json_type::string) return wrong_type(at + "." + std::string(name), "a string");
            *into = m.value.raw;
        }
    }
    return s;
}

std::string_view audio_type(json format, text_arena& arena) {
    if (says(format, "mp3")) return "audio/mpeg";
    if (format.empty() || says(format, "wav")) return "audio/wav";
    return arena.keep("audio/" + decode(format));
}

bool is_data_url(json url) {
    constexpr std::string_view scheme = "data:";
    return iequals(chars_of(url).substr(0, scheme.size()), scheme);
}

result<media_part> read_url_media(media_kind what, const inner_strings& s, const std::string& at, text_arena& arena) {
    media_part m;
    m.what = what;
    m.detail = s.detail;
    if (s.url.empty() || is_empty_string(s.url))
        return error{error_kind::bad_request, "`" + at + "` has no `url`.", at};
    if (const auto data = read_data_url(s.url, arena)) {
        m.mime = data->mime;
        m.base64 = data->base64;
    } else if (is_data_url(s.url)) {
        return wrong_type(at + ".url", "a URL, or a data: URL with base64 in it");
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
    } else if (is_data_url(s.file_data)) {
        return wrong_type(at + ".file_data", "base64, or a data: URL with base64 in it");
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

result<loose_part> look_at(const json_object& o, const std::string& at, part& out) {
    loose_part p;
    for (const json_member& m : o.members()) {
        if (m.value.type == json_type::null) continue;
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
            if (m.value.type != json_type::object) return wrong_type(at + ".cache_control", "an object");
            out.cache_control = m.value.raw;
        } else {
            out.extras.push_back({m.key, m.value.raw});
        }
    }
    return p;
}

result<media_part> read_audio(const inner_strings& s, const std::string& at, text_arena& arena) {
    if (s.data.empty()) return wrong_type(at + ".data", "a string");
    media_part m;
    m.what = media_kind::audio;
    m.base64 = chars_of(s.data);
    m.mime = audio_type(s.format, arena);
    return m;
}

// `inner` is the member that bears the name of the part's type.
result<media_part> read_media(std::string_view type, const json_value& inner, const std::string& part_at,
                              text_arena& arena) {
    const std::string at = part_at + "." + std::string(type);
    const bool by_url = type == "image_url" || type == "video_url";
    if (inner.type != json_type::object && !(by_url && inner.type == json_type::string))
        return wrong_type(at, "an object");
    const auto s = strings_of(inner, at);
    if (!s) return s.error();
    if (by_url) return read_url_media(type == "image_url" ? media_kind::image : media_kind::video, *s, at, arena);
    return type == "file" ? read_file(*s, at, arena) : read_audio(*s, at, arena);
}

result<void> read_part(const json_value& v, const std::string& at, text_arena& arena, part& out) {
    const auto o = json_object::inside(v);
    if (!o) return v.type == json_type::object ? o.error() : wrong_type(at, "an object");
    const auto seen = look_at(*o, at, out);
    if (!seen) return seen.error();
    const loose_part& p = *seen;
    if (says(p.type, "text")) {
        if (!is_string(p.text)) return wrong_type(at + ".text", "a string");
        out.value = text_part{p.text, {}, {}};
        return {};
    }
    if (says(p.type, "refusal")) {
        if (!is_string(p.refusal)) return wrong_type(at + ".refusal", "a string");
        out.value = refusal_part{p.refusal};
        return {};
    }
    const std::pair<std::string_view, const std::optional<json_value>*> media[] = {
        {"image_url", &p.image_url}, {"video_url", &p.video_url}, {"input_audio", &p.input_audio}, {"file", &p.file}};
    for (const auto& [type, inner] : media) {
        if (!says(p.type, type) || !*inner) continue;
        auto m = read_media(type, **inner, at, arena);
        if (!m) return m.error();
        out.value = std::move(*m);
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

namespace {

// `function` or `custom` of a call.
result<void> read_called(const json_member& m, const std::string& place, tool_call& call) {
    const std::string at = place + "." + std::string(m.key);
    const auto o = json_object::inside(m.value);
    if (!o) return m.value.type == json_type::object ? o.error() : wrong_type(at, "an object");
    const bool custom = m.key == "custom";
    const std::string_view text = custom ? "input" : "arguments";
    call.what = custom ? tool_call::kind::custom : tool_call::kind::function;
    call.arguments = R"("")";
    if (const auto name = o->find("name"); name && name->type == json_type::string) call.name = name->raw;
    if (call.name.empty()) return wrong_type(at + ".name", "a string");
    const auto given = o->find(text);
    if (!given || given->type == json_type::null) return {};
    // Some servers give the object itself.
    if (given->type != json_type::string && (custom || given->type != json_type::object))
        return wrong_type(at + "." + std::string(text), "a string");
    call.arguments = given->raw;
    return {};
}

}  // namespace

result<part> read_call(const json_value& v, const std::string& at) {
    const auto o = json_object::inside(v);
    if (!o) return v.type == json_type::object ? o.error() : wrong_type(at, "an object");
    part out;
    tool_call call;
    for (const json_member& m : o->members()) {
        if (m.value.type == json_type::null) continue;
        if (m.key == "id") {
            if (m.value.type != json_type::string) return wrong_type(at + ".id", "a string");
            call.id = m.value.raw;
        } else if (m.key == "function" || m.key == "custom") {
            if (auto read = read_called(m, at, call); !read) return read.error();
        } else if (const json signature = m.key == "extra_content" ? thought_signature_in(m.value.raw) : json{};
                   !signature.empty()) {
            call.signature = chars_of(signature);
            call.signed_by = "gemini";
        } else if (m.key != "type" && m.key != "index") {
            out.extras.push_back({m.key, m.value.raw});
        }
    }
    if (call.name.empty()) return wrong_type(at + ".function", "an object");
    out.value = std::move(call);
    return out;
}

void read_images(json images, text_arena& arena, std::vector<part>& out) {
    each_element(images, [&](const json_value& image) {
        each_member(image.raw, [&](std::string_view key, const json_value& v) {
            if (key != "image_url") return;
            json url = v.raw;
            each_member(v.raw, [&](std::string_view k, const json_value& x) {
                if (k == "url") url = x.raw;
            });
            if (!is_string(url)) return;
            media_part m;
            if (const auto data = read_data_url(url, arena)) {
                m.base64 = data->base64;
                m.mime = data->mime;
            } else if (!is_data_url(url)) {
                m.url = url;
            } else {
                return;
            }
            out.push_back({m});
        });
    });
}

json thought_signature_in(json extra_content) {
    json found;
    each_member(extra_content, [&](std::string_view vendor, const json_value& v) {
        if (vendor != "google") return;
        each_member(v.raw, [&](std::string_view key, const json_value& s) {
            if (key == "thought_signature" && s.type == json_type::string) found = s.raw;
        });
    });
    return found;
}

json make_call_id(json answer, std::int64_t choice, std::int64_t call, text_arena& arena) {
    std::string id = "call_" + decode(answer);
    return quote(id.append("_").append(std::to_string(choice)).append("_").append(std::to_string(call)), arena);
}

}  // namespace sluice::chat::openai
