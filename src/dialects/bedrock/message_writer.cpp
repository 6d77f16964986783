#include "dialects/bedrock/message_writer.hpp"

#include "dialects/bedrock/bedrock.hpp"
#include "dialects/values.hpp"

#include <algorithm>

namespace sluice::chat::bedrock {

namespace {

constexpr std::size_t id_bytes_max = 64;
constexpr std::size_t calls_at_once_max = 128;  // among which a result without an id is matched by name

bool is_system(role who) {
    return who == role::system || who == role::developer;
}

// Bedrock's ids match [a-zA-Z0-9_-]{1,64}. Another one is spelled so that different ids stay different: what does not
// fit becomes '_', and a checksum (FNV-1a) of the whole is put behind.
std::string fitting_id(std::string_view id) {
    const auto fits = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
    };
    if (!id.empty() && id.size() <= id_bytes_max && std::all_of(id.begin(), id.end(), fits)) return std::string(id);
    std::uint64_t sum = 0xcbf29ce484222325U;
    for (const char c : id) sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    std::string out(id.substr(0, id_bytes_max - 17));
    std::replace_if(out.begin(), out.end(), [&](char c) { return !fits(c); }, '_');
    out += '_';
    for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[sum >> shift & 0xfU];
    return out;
}

}  // namespace

bool is_blank(json text) {
    const std::string_view chars = chars_of(text);
    if (chars.empty()) return true;
    if (chars.front() != ' ' && chars.front() != '\\') return false;
    return decode(text).find_first_not_of(" \t\r\n") == std::string::npos;
}

std::string cache_point_of(json cache_control, const model_facts& facts) {
    std::string out = R"({"cachePoint":{"type":"default")";
    each_member(cache_control, [&](std::string_view key, const json_value& v) {
        if (key == "ttl" && facts.cache_ttl && (says(v.raw, "5m") || says(v.raw, "1h"))) {
            out.append(R"(,"ttl":)").append(v.raw);
        }
    });
    return out.append("}}");
}

result<void> message_writer::write() {
    auto turns = write_turns();
    if (!turns) return turns;
    return write_system();
}

result<void> message_writer::write_turns() {
    w_.key("messages").begin_array();
    bool spoken = false;
    for (std::size_t i = 0; i < c_.messages.size(); ++i) {
        const message& m = c_.messages[i];
        if (!m.name.empty()) lost_.hint(place_of(i) + ".name");
        lost_.hints(m.extras, place_of(i) + ".");
        if (is_system(m.who)) {
            if (spoken) lost_.hint(place_of(i) + ".role");  // it goes to the front
            continue;
        }
        spoken = true;
        for (std::size_t j = 0; j < m.content.size(); ++j) {
            auto written = write_part(m, {i, j});
            if (!written) return written;
        }
    }
    // The marker for the whole prompt stands behind its last block.
    if (!c_.cache_control.empty() && facts_.cache_points && turn_) {
        w_.raw(cache_point_of(c_.cache_control, facts_));
    } else if (!c_.cache_control.empty()) {
        lost_.hint("cache_control");
    }
    close_turn();
    w_.end_array();
    return {};
}

bool message_writer::says_system() const {
    return std::any_of(c_.messages.begin(), c_.messages.end(), [](const message& m) {
        return is_system(m.who) && std::any_of(m.content.begin(), m.content.end(), [](const part& p) {
                   const auto* text = std::get_if<text_part>(&p.value);
                   return text != nullptr && !is_blank(text->text);
               });
    });
}

result<void> message_writer::write_system() {
    const bool any = says_system();
    if (any) w_.key("system").begin_array();
    for (std::size_t i = 0; i < c_.messages.size(); ++i) {
        const message& m = c_.messages[i];
        if (!is_system(m.who)) continue;
        for (std::size_t j = 0; j < m.content.size(); ++j) {
            const place at{i, j};
            const part& p = m.content[j];
            lost_.hints(p.extras, at.text() + ".");
            const auto* text = std::get_if<text_part>(&p.value);
            if (text == nullptr) {
                auto refused = lost_.feature(at.text(), "anything but text in a system message");
                if (!refused) return refused;
                continue;
            }
            if (is_blank(text->text)) continue;
            w_.begin_object().key("text").raw(text->text).end_object();
            cache_point_behind(p, at, true);
        }
    }
    if (any) w_.end_array();
    return {};
}

void message_writer::open_turn(role who) {
    if (turn_ == who) return;
    close_turn();
    w_.begin_object().key("role").string(who == role::assistant ? "assistant" : "user").key("content").begin_array();
    turn_ = who;
}

void message_writer::close_turn() {
    if (turn_) w_.end_array().end_object();
    turn_.reset();
}

void message_writer::cache_point_behind(const part& p, const place& at, bool written) {
    if (p.cache_control.empty()) return;
    if (!facts_.cache_points || !written) {
        lost_.hint(at.text() + ".cache_control");
    } else {
        w_.raw(cache_point_of(p.cache_control, facts_));
    }
}

result<void> message_writer::write_part(const message& m, const place& at) {
    const part& p = m.content[at.part];
    report_extras(p, at.text() + ".");
    result<bool> written = false;
    if (const auto* text = std::get_if<text_part>(&p.value)) {
        if (!text->citations.empty()) lost_.hint(at.text() + ".citations");
        written = write_text(m.who, text->text);
    } else if (const auto* refusal = std::get_if<refusal_part>(&p.value)) {
        written = write_text(m.who, refusal->text);
    } else if (std::holds_alternative<media_part>(p.value)) {
        written = write_media(m.who, p, at);
    } else if (const auto* call = std::get_if<tool_call>(&p.value)) {
        written = write_call(m.who, *call, at);
    } else if (const auto* answered = std::get_if<tool_result>(&p.value)) {
        written = write_result(m.who, *answered, at);
    } else if (const auto* thought = std::get_if<reasoning_part>(&p.value)) {
        written = write_reasoning(m.who, *thought, at);
    } else {
        written = refuse(at, "what only another provider has a form for");
    }
    if (!written) return written.error();
    cache_point_behind(p, at, *written);
    return {};
}

result<bool> message_writer::refuse(const place& at, std::string_view what) {
    const auto refused = lost_.feature(at.text(), what);
    if (!refused) return refused.error();
    return false;
}

result<bool> message_writer::write_text(role who, json text) {
    if (is_blank(text)) return false;
    open_turn(who);
    w_.begin_object().key("text").raw(text).end_object();
    return true;
}

result<bool> message_writer::write_call(role who, const tool_call& call, const place& at) {
    if (call.what == tool_call::kind::custom) return refuse(at, "a call of a tool that takes free text");
    const auto input = arguments_object(call, arena_);
    if (!input) {
        error e = input.error();
        e.param = at.text();
        return e;
    }
    open_turn(who);
    w_.begin_object().key("toolUse").begin_object().key("toolUseId").string(call_id(call, at));
    w_.key("name").raw(call.name).key("input").raw(*input).end_object().end_object();
    return true;
}

std::string message_writer::call_id(const tool_call& call, const place& at) {
    if (!is_empty_string(call.id) && !call.id.empty()) return fitting_id(decode(call.id));
    std::string id = "call_" + std::to_string(at.message) + "_" + std::to_string(at.part);
    nameless_.push_back({call.name, id});
    return id;
}

// A result without an id answers the oldest call of its name that none was given to yet, else the oldest at all.
std::string message_writer::result_id(const tool_result& r) {
    if (!is_empty_string(r.call_id) && !r.call_id.empty()) return fitting_id(decode(r.call_id));
    if (nameless_.empty()) return "call_0";
    const auto end = nameless_.begin() + static_cast<std::ptrdiff_t>(std::min(nameless_.size(), calls_at_once_max));
    auto call = std::find_if(nameless_.begin(), end, [&](const auto& n) { return n.name == r.name; });
    if (call == end) call = nameless_.begin();
    std::string id = std::move(call->id);
    nameless_.erase(call);
    return id;
}

result<bool> message_writer::write_result(role who, const tool_result& r, const place& at) {
    if (r.what == tool_call::kind::custom) return refuse(at, "the result of a tool that takes free text");
    open_turn(who);
    w_.begin_object().key("toolResult").begin_object().key("toolUseId").string(result_id(r));
    w_.key("content").begin_array();
    if (!r.structured.empty()) w_.begin_object().key("json").raw(r.structured).end_object();
    for (const part& p : r.content) {
        auto written = write_result_part(p, at);
        if (!written) return written;
    }
    w_.end_array();
    if (r.is_error) w_.key("status").string("error");
    w_.end_object().end_object();
    return true;
}

result<bool> message_writer::write_result_part(const part& p, const place& at) {
    report_extras(p, at.text() + ".content.");
    if (!p.cache_control.empty()) lost_.hint(at.text() + ".content.cache_control");
    if (const auto* media = std::get_if<media_part>(&p.value)) {
        const bool sound = media->what == media_kind::audio;
        const std::string problem = sound ? "audio in the result of a tool" : media_problem(*media);
        if (!problem.empty()) return refuse(at, problem);
        write_media_block(p, at);
        return true;
    }
    const auto* text = std::get_if<text_part>(&p.value);
    if (text == nullptr) return refuse(at, "such a part in the result of a tool");
    if (is_blank(text->text)) return false;
    w_.begin_object().key("text").raw(text->text).end_object();
    return true;
}

// Claude takes back what it signed. Unsigned reasoning, or another model's, is refused.
result<bool> message_writer::write_reasoning(role who, const reasoning_part& r, const place& at) {
    const bool redacted = !r.encrypted.empty();
    const bool takes = facts_.reasoning_back && r.from == maker_name && (redacted || !r.signature.empty());
    if (!takes) {
        lost_.hint(at.text());
        return false;
    }
    open_turn(who);
    w_.begin_object().key("reasoningContent").begin_object();
    if (redacted) {
        w_.key("redactedContent").raw(enclose(r.encrypted, arena_));
    } else {
        w_.key("reasoningText").begin_object().key("text").raw(r.text.empty() ? json{R"("")"} : r.text);
        w_.key("signature").raw(enclose(r.signature, arena_)).end_object();
    }
    w_.end_object().end_object();
    return true;
}

}  // namespace sluice::chat::bedrock
