#include "dialects/anthropic/request_reader.hpp"
#include "dialects/anthropic/terms.hpp"
#include "dialects/values.hpp"

#include <algorithm>

namespace sluice::chat::anthropic {
namespace {

// What the reading of a block needs.
struct block_source {
    request_check& check;
    fields& f;
    const json_value& value;
    text_arena& arena;
};

void read_text(block_source& s, part& out) {
    text_part text;
    text.text = s.f.string("text", need::required);
    const json citations = s.f.array("citations");
    if (!citations.empty() && !json_elements(value_of(citations)).empty()) {
        text.citations = citations;
        text.from = maker_name;
    }
    out.value = text;
}

native_part native_of(const json_value& value, json type, text_arena& arena) {
    return {value.raw, dialect_name, decode(type, arena)};
}

// The source of an image or a document. False: its form is one that only this dialect has.
bool read_source(block_source& s, media_part& media, extra_fields& extras) {
    const json object = s.f.object("source", need::required);
    if (!s.check.ok()) return true;
    const place where = s.f.where().in("source");
    fields f(s.check, value_of(object), where);
    const json type = f.string("type", need::required);
    if (says(type, "base64")) {
        media.base64 = chars_of(f.string("data", need::required));
        media.mime = decode(f.string("media_type", need::required), s.arena);
    } else if (says(type, "url")) {
        media.url = f.string("url", need::required);
        if (const auto data = read_data_url(media.url, s.arena)) {
            media.url = {};
            media.base64 = data->base64;
            media.mime = data->mime;
        }
    } else if (says(type, "file")) {
        media.file_id = f.string("file_id", need::required);
        media.from = maker_name;
    } else if (says(type, "text") && media.what == media_kind::document) {
        media.text = f.string("data", need::required);
        media.mime = decode(f.string("media_type"), s.arena);
    } else if (says(type, "content") && media.what == media_kind::document) {
        return false;
    } else if (s.check.ok()) {
        const place at = where.in("type");
        s.check.refuse(at, media.what == media_kind::image ? "must be base64, url or file"
                                                           : "must be base64, url, file, text or content");
    }
    f.rest(extras, source_prefix, s.arena);
    return true;
}

void read_image(block_source& s, part& out) {
    media_part image;
    read_source(s, image, out.extras);
    out.value = image;
}

void read_document(block_source& s, part& out) {
    media_part document;
    document.what = media_kind::document;
    if (!read_source(s, document, out.extras)) {
        out.value = native_of(s.value, "\"document\"", s.arena);
        return;
    }
    document.name = s.f.string("title");
    out.value = document;
}

// A tag tells the secrets of other families, which came to the client in place of a signature.
void read_thinking(block_source& s, part& out) {
    reasoning_part thinking;
    thinking.text = s.f.string("thinking", need::required);
    const secret found = unpack_secret(chars_of(s.f.string("signature")), s.arena);
    const bool whole = found.from == "openai";  // its secret is the reasoning itself, and what was shown a summary
    (whole ? thinking.encrypted : thinking.signature) = found.chars;
    thinking.summary = whole;
    thinking.id = found.item_id;
    if (!found.chars.empty()) thinking.from = found.from;
    out.value = thinking;
}

void read_redacted_thinking(block_source& s, part& out) {
    reasoning_part thinking;
    const secret found = unpack_secret(chars_of(s.f.string("data", need::required)), s.arena);
    thinking.encrypted = found.chars;
    thinking.id = found.item_id;
    thinking.from = found.from;
    out.value = thinking;
}

void read_tool_use(block_source& s, part& out) {
    tool_call call;
    call.id = s.f.string("id", need::required);
    call.name = s.f.string("name", need::required);
    call.arguments = s.f.object("input", need::required);
    out.value = call;
}

void read_tool_result(block_source& s, part& out) {
    tool_result answer;
    answer.call_id = s.f.string("tool_use_id", need::required);
    answer.is_error = s.f.boolean("is_error") == "true";
    const auto content = s.f.any("content");
    if (content && !is_empty_string(content->raw)) {
        const place where = s.f.where().in("content");
        answer.content = read_content(s.check, *content, where, role::user, s.arena);
        for (std::size_t i = 0; i < answer.content.size(); ++i) {
            const place at = where.at(i);
            if (std::holds_alternative<tool_result>(answer.content[i].value))
                s.check.refuse(at, "must not be a result");
        }
    }
    out.value = std::move(answer);
}

struct block_kind {
    std::string_view type;
    void (*read)(block_source&, part&);
    bool (*may_stand)(role);
};

bool anywhere(role) {
    return true;
}
bool not_in_system(role who) {
    return who != role::system;
}
bool user_only(role who) {
    return who == role::user;
}
bool assistant_only(role who) {
    return who == role::assistant;
}

constexpr block_kind kinds[] = {
    {"text", read_text, anywhere},
    {"tool_use", read_tool_use, assistant_only},
    {"tool_result", read_tool_result, user_only},
    {"thinking", read_thinking, assistant_only},
    {"image", read_image, not_in_system},
    {"document", read_document, not_in_system},
    {"redacted_thinking", read_redacted_thinking, assistant_only},
};

// Blocks that no other dialect has a form for. Server tools keep being added: their blocks end alike.
constexpr std::string_view native_types[] = {
    "search_result", "container_upload", "compaction",     "mid_conv_system",  "fallback",      "tool_reference",
    "tool_addition", "tool_removal",     "connector_text", "mcp_tool_listing", "browser_state",
};

bool is_native(std::string_view type) {
    return std::find(std::begin(native_types), std::end(native_types), type) != std::end(native_types) ||
           type.ends_with("_tool_use") || type.ends_with("_tool_result");
}

}  // namespace

part read_block(request_check& check, const json_value& block, const place& where, role who, text_arena& arena) {
    part out;
    fields f(check, block, where);
    const json type = f.string("type", need::required);
    if (!check.ok()) return out;
    block_source source{check, f, block, arena};
    for (const block_kind& k : kinds) {
        if (!says(type, k.type)) continue;
        if (!k.may_stand(who)) {
            check.refuse(where.in("type"), "is not allowed in a message of this role");
            return out;
        }
        k.read(source, out);
        if (std::holds_alternative<native_part>(out.value)) return out;
        out.cache_control = f.object("cache_control");
        f.rest(out.extras);
        return out;
    }
    if (is_native(chars_of(type))) {
        out.value = native_of(block, type, arena);
    } else {
        check.refuse(where.in("type"), "is not a type of block that is known here");
    }
    return out;
}

std::vector<part> read_content(request_check& check, const json_value& content, const place& where, role who,
                               text_arena& arena) {
    std::vector<part> parts;
    if (!check.ok()) return parts;
    if (content.type == json_type::string) {
        parts.push_back({text_part{content.raw, {}, {}}});
        return parts;
    }
    if (content.type != json_type::array) {
        check.refuse(where, "must be a string or an array");
        return parts;
    }
    const auto blocks = elements(check, content.raw, where);
    parts.reserve(blocks.size());
    for (std::size_t i = 0; i < blocks.size() && check.ok(); ++i) {
        const place at = where.at(i);
        part read = read_block(check, blocks[i], at, who, arena);
        const auto* thinking = std::get_if<reasoning_part>(&read.value);
        auto* call = parts.empty() ? nullptr : std::get_if<tool_call>(&parts.back().value);
        if (thinking != nullptr && call != nullptr && unpack_call_secret(*thinking, *call)) continue;
        parts.push_back(std::move(read));
    }
    return parts;
}

}  // namespace sluice::chat::anthropic
