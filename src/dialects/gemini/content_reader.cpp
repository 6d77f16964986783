#include "dialects/gemini/content_reader.hpp"

#include "dialects/gemini/fields.hpp"
#include "dialects/gemini/gemini.hpp"
#include "dialects/gemini/signatures.hpp"
#include "dialects/values.hpp"

#include <algorithm>

namespace sluice::chat::gemini {
namespace {

constexpr std::size_t list_max = 65'536;

struct loose_part {
    json text, inline_data, file_data, call, response, native;
    std::string_view native_type;
    json signature;
    bool thought = false;
};

result<loose_part> look_at(const json_value& v, const std::string& at, part& out) {
    const auto o = json_object::inside(v);
    if (!o) return v.type == json_type::object ? o.error() : wrong_type(at, "an object");
    loose_part p;
    for (const json_member& m : o->members()) {
        if (m.value.type == json_type::null) continue;
        if (m.key == "text") {
            if (m.value.type != json_type::string) return wrong_type(at + ".text", "a string");
            p.text = m.value.raw;
        } else if (is_field(m.key, "inlineData")) {
            p.inline_data = m.value.raw;
        } else if (is_field(m.key, "fileData")) {
            p.file_data = m.value.raw;
        } else if (is_field(m.key, "functionCall")) {
            p.call = m.value.raw;
        } else if (is_field(m.key, "functionResponse")) {
            p.response = m.value.raw;
        } else if (m.key == "thought") {
            p.thought = m.value.boolean().value_or(false);
        } else if (is_field(m.key, "thoughtSignature")) {
            p.signature = m.value.raw;
        } else if (is_field(m.key, "executableCode") || is_field(m.key, "codeExecutionResult") ||
                   is_field(m.key, "toolCall") || is_field(m.key, "toolResponse")) {
            p.native = v.raw;
            p.native_type = m.key;
        } else {
            out.extras.push_back({m.key, m.value.raw});
        }
    }
    return p;
}

media_kind kind_of(std::string_view mime) {
    if (mime.starts_with("image/")) return media_kind::image;
    if (mime.starts_with("audio/")) return media_kind::audio;
    if (mime.starts_with("video/")) return media_kind::video;
    return media_kind::document;
}

result<media_part> read_media(json blob, const std::string& at, text_arena& arena) {
    media_part m;
    json mime, data, uri;
    each_member(blob, [&](std::string_view key, const json_value& v) {
        if (is_field(key, "mimeType")) mime = v.raw;
        if (key == "data") data = v.raw;
        if (is_field(key, "fileUri")) uri = v.raw;
        if (is_field(key, "displayName") && v.type == json_type::string) m.name = v.raw;
    });
    m.mime = decode(mime, arena);
    m.what = kind_of(m.mime);
    if (is_string(data)) {
        m.base64 = chars_of(data);
    } else if (is_string(uri)) {
        m.url = uri;
    } else {
        return error{error_kind::bad_request, "`" + at + "` has neither `data` nor `fileUri`.", at};
    }
    return m;
}

result<tool_call> read_call(json v, part_source& from, const std::string& at, text_arena& arena) {
    tool_call call;
    call.arguments = "{}";
    each_member(v, [&](std::string_view key, const json_value& m) {
        if (key == "id" && m.type == json_type::string) call.id = m.raw;
        if (key == "name") call.name = m.raw;
        if (key == "args" && m.type == json_type::object) call.arguments = m.raw;
    });
    if (!is_string(call.name)) return wrong_type(at + ".functionCall.name", "a string");
    if (call.id.empty()) call.id = quote(from.id_prefix + std::to_string(from.calls), arena);
    ++from.calls;
    return call;
}

// {"output":"text"}, {"error":"text"} and {"error":{...}}, which is how Google's own libraries wrap what a function
// gives.
bool read_wrapped(json response, tool_result& r) {
    json text, details;
    bool error = false;
    int members = 0;
    each_member(response, [&](std::string_view key, const json_value& v) {
        ++members;
        error = key == "error";
        if ((key == "output" || key == "error") && v.type == json_type::string) text = v.raw;
        if (key == "error" && v.type == json_type::object) details = v.raw;
    });
    if (members != 1 || (text.empty() && details.empty())) return false;
    if (!details.empty()) {
        r.is_error = true;
        r.structured = details;
        return true;
    }
    r.is_error = error;
    r.content.push_back({text_part{text, {}, {}}});
    return true;
}

result<tool_result> read_response(json v, const std::string& at, text_arena& arena) {
    tool_result r;
    json response, parts;
    each_member(v, [&](std::string_view key, const json_value& m) {
        if (key == "id" && m.type == json_type::string) r.call_id = m.raw;
        if (key == "name") r.name = m.raw;
        if (key == "response") response = m.raw;
        if (key == "parts") parts = m.raw;
    });
    if (!is_string(r.name)) return wrong_type(at + ".functionResponse.name", "a string");
    if (type_of(response) != json_type::object) return wrong_type(at + ".functionResponse.response", "an object");
    if (!read_wrapped(response, r) && (response != "{}" || parts.empty())) r.structured = response;
    part_source inner{at + ".functionResponse", {}, false, 0};
    auto read = read_parts(parts, inner, arena, r.content);
    if (!read) return read.error();
    // What stands beside an object can only be told in parts: then the object is one of them.
    if (!r.structured.empty() && !r.content.empty()) {
        r.content.insert(r.content.begin(), part{text_part{quote(r.structured, arena), {}, {}}});
        r.structured = {};
    }
    return r;
}

template <class T>
result<void> put(result<T> value, part& out) {
    if (!value) return value.error();
    out.value = std::move(*value);
    return {};
}

result<void> read_part(const json_value& v, part_source& from, const std::string& at, text_arena& arena,
                       std::vector<part>& out) {
    part made;
    const auto p = look_at(v, at, made);
    if (!p) return p.error();
    const json_chars said = chars_of(p->signature);
    const auto [signature, maker] = unwrap_signature(said == no_signature ? json_chars{} : said, arena);
    result<void> read;
    if (!p->native.empty()) {
        made.value = native_part{p->native, dialect_name, p->native_type};
    } else if (!p->inline_data.empty()) {
        read = put(read_media(p->inline_data, at + ".inlineData", arena), made);
    } else if (!p->file_data.empty()) {
        read = put(read_media(p->file_data, at + ".fileData", arena), made);
    } else if (!p->response.empty()) {
        read = put(read_response(p->response, at, arena), made);
    } else if (!p->call.empty()) {
        auto call = read_call(p->call, from, at, arena);
        if (call && !signature.empty()) {
            call->signature = signature;
            call->signed_by = maker;
        }
        read = put(std::move(call), made);
    } else if (p->thought) {
        reasoning_part r;
        r.text = p->text;
        r.signature = signature;
        r.from = maker;
        made.value = r;
    } else if (!p->text.empty()) {
        made.value = text_part{p->text, {}, {}};
    } else if (signature.empty() || from.answer) {
        return error{error_kind::bad_request, "`" + at + "` holds no part that is known.", at};
    }
    if (!read) return read;
    const bool bare = p->call.empty() && !p->thought && !signature.empty();
    const bool empty = bare && p->text.empty() && p->native.empty() && p->inline_data.empty() && p->file_data.empty();
    if (!empty && !(from.answer && is_empty_string(p->text))) out.push_back(std::move(made));
    if (bare && !from.answer) {
        reasoning_part r;
        r.signature = signature;
        r.from = maker;
        out.push_back({r});
    }
    return {};
}

// The calls of the turn before, which results without ids answer.
class open_calls {
public:
    explicit open_calls(const message& m) {
        for (const part& p : m.content) {
            if (const auto* call = std::get_if<tool_call>(&p.value)) calls_.push_back(call);
        }
    }
    json take(json name) {
        const auto found =
            std::find_if(calls_.begin(), calls_.end(), [&](const tool_call* c) { return c->name == name; });
        if (found == calls_.end()) return {};
        const json id = (*found)->id;
        calls_.erase(found);
        return id;
    }

private:
    std::vector<const tool_call*> calls_;
};

void match_results(conversation& c, message& m) {
    const message* calls = nullptr;
    for (const message& before : c.messages) {
        if (before.who == role::assistant) calls = &before;
    }
    if (calls == nullptr) return;
    open_calls open(*calls);
    for (part& p : m.content) {
        auto* r = std::get_if<tool_result>(&p.value);
        if (r != nullptr && r->call_id.empty()) r->call_id = open.take(r->name);
    }
}

result<void> read_content(const json_value& v, std::size_t index, conversation& c) {
    const std::string at = "contents[" + std::to_string(index) + "]";
    const auto o = json_object::inside(v);
    if (!o) return v.type == json_type::object ? o.error() : wrong_type(at, "an object");
    message m;
    json parts;
    for (const json_member& field : o->members()) {
        if (field.key == "parts") {
            if (field.value.type != json_type::array) return wrong_type(at + ".parts", "an array");
            parts = field.value.raw;
        } else if (field.key == "role") {
            if (says(field.value.raw, "model")) {
                m.who = role::assistant;
            } else if (!says(field.value.raw, "user") && !says(field.value.raw, "function") &&
                       !is_null(field.value.raw)) {
                return error{error_kind::bad_request, "`" + at + ".role` must be user or model.", at + ".role"};
            }
        } else {
            m.extras.push_back({field.key, field.value.raw});
        }
    }
    part_source from{at, "call_" + std::to_string(index) + "_", false, 0};
    if (auto read = read_parts(parts, from, c.arena, m.content); !read) return read;
    if (m.who == role::user) match_results(c, m);
    c.messages.push_back(std::move(m));
    return {};
}

}  // namespace

result<void> read_parts(json parts, part_source& from, text_arena& arena, std::vector<part>& out) {
    result<void> read;
    std::size_t index = 0;
    each_element(parts, [&](const json_value& v) {
        if (!read) return;
        const std::string at = from.at + ".parts[" + std::to_string(index) + "]";
        if (index++ == list_max) {
            read = error{error_kind::bad_request, "`" + from.at + ".parts` has more than 65536 entries.",
                         from.at + ".parts"};
            return;
        }
        read = read_part(v, from, at, arena, out);
    });
    return read;
}

result<void> read_contents(const json_value& v, conversation& c) {
    if (v.type == json_type::object) return read_content(v, 0, c);
    if (v.type != json_type::array) return wrong_type("contents", "an array");
    result<void> read;
    std::size_t index = 0;
    each_element(v.raw, [&](const json_value& content) {
        if (!read) return;
        read = index < list_max ? read_content(content, index, c)
                                : error{error_kind::bad_request, "`contents` has more than 65536 entries.", "contents"};
        ++index;
    });
    return read;
}

result<void> read_system(const json_value& v, conversation& c) {
    if (v.type != json_type::object) return wrong_type("systemInstruction", "an object");
    message m;
    m.who = role::system;
    json parts;
    each_member(v.raw, [&](std::string_view key, const json_value& field) {
        if (key == "parts") parts = field.raw;
    });
    part_source from{"systemInstruction", {}, false, 0};
    if (auto read = read_parts(parts, from, c.arena, m.content); !read) return read;
    c.messages.insert(c.messages.begin(), std::move(m));
    return {};
}

}  // namespace sluice::chat::gemini
