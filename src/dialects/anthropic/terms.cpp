#include "dialects/anthropic/terms.hpp"

#include "base/ascii.hpp"
#include "dialects/values.hpp"

#include <algorithm>

namespace sluice::chat::anthropic {
namespace {

struct stop_reason_name {
    std::string_view text;
    finish_reason why;
};

constexpr stop_reason_name stop_reasons[] = {
    {"\"end_turn\"", finish_reason::stop},
    {"\"max_tokens\"", finish_reason::length},
    {"\"stop_sequence\"", finish_reason::stop_sequence},
    {"\"tool_use\"", finish_reason::tool_calls},
    {"\"pause_turn\"", finish_reason::pause},
    {"\"refusal\"", finish_reason::refusal},
    {"\"model_context_window_exceeded\"", finish_reason::context_window},
    {"\"compaction\"", finish_reason::pause},  // as with a pause, the answer is sent back to go on
};

constexpr std::string_view message_extras[] = {"container", "context_management", "stop_details", "diagnostics",
                                               "input_transformations"};

constexpr std::string_view call_mark = "call:";

struct effort_budget {
    std::string_view effort;
    std::int64_t tokens;
};

constexpr effort_budget efforts[] = {
    {"minimal", 1024}, {"low", 1024}, {"medium", 8192}, {"high", 24576}, {"xhigh", 32768}, {"max", 32768},
};

// Ids are made of what Anthropic takes: ^[a-zA-Z0-9_-]+$
std::string id_chars(std::string_view text) {
    std::string id(text);
    for (char& c : id) {
        if (!ascii::is_alpha(c) && !ascii::is_digit(c) && c != '-') c = '_';
    }
    return id;
}

}  // namespace

finish_reason finish_of(json stop_reason) {
    if (is_null(stop_reason)) return finish_reason::none;
    for (const stop_reason_name& s : stop_reasons) {
        if (s.text == stop_reason) return s.why;
    }
    return finish_reason::other;
}

std::string_view stop_reason_of(finish_reason why, bool calls) {
    switch (why) {
        case finish_reason::none:
            return "null";
        case finish_reason::content_filter:
            return "\"refusal\"";
        case finish_reason::malformed_call:
        case finish_reason::other:
            return "\"end_turn\"";
        case finish_reason::stop:
            return calls ? "\"tool_use\"" : "\"end_turn\"";
        default:
            break;
    }
    for (const stop_reason_name& s : stop_reasons) {
        if (s.why == why) return s.text;
    }
    return "null";
}

bool is_message_extra(std::string_view key) {
    return std::find(std::begin(message_extras), std::end(message_extras), key) != std::end(message_extras);
}

std::int64_t budget_of_effort(std::string_view effort) {
    for (const effort_budget& e : efforts) {
        if (e.effort == effort) return e.tokens;
    }
    return 8192;
}

std::string_view effort_of_budget(std::int64_t tokens) {
    for (const effort_budget& e : efforts) {
        if (e.effort != "minimal" && tokens <= e.tokens) return e.effort;
    }
    return "xhigh";
}

json_chars pack_secret(json_chars secret, family from, json item_id, text_arena& arena) {
    if (secret.empty() || from.empty() || from == maker_name || is_empty_string(item_id) || item_id.empty())
        return tag_foreign(secret, from, maker_name, arena);
    std::string text(chars_of(item_id));
    text.append(1, ':').append(secret);
    return tag_foreign(text, from, maker_name, arena);
}

secret unpack_secret(json_chars packed, text_arena& arena) {
    const auto [chars, from] = untag(packed, maker_name);
    if (from != "openai" || !chars.starts_with("rs_")) return {chars, from, {}};
    const auto colon = chars.find(':');
    if (colon == std::string_view::npos) return {chars, from, {}};
    return {chars.substr(colon + 1), from, enclose(chars.substr(0, colon), arena)};
}

json_chars pack_call_secret(json_chars signature, family from, text_arena& arena) {
    if (signature.empty() || from.empty() || from == maker_name) return {};
    return tag_foreign(arena.keep(std::string(call_mark).append(signature)), from, maker_name, arena);
}

bool unpack_call_secret(const reasoning_part& thinking, tool_call& call) {
    if (thinking.from == maker_name || !thinking.encrypted.starts_with(call_mark)) return false;
    call.signature = thinking.encrypted.substr(call_mark.size());
    call.signed_by = thinking.from;
    return true;
}

json make_message_id(std::string_view request_id, text_arena& arena) {
    return quote("msg_" + id_chars(request_id), arena);
}

json make_call_id(std::string_view request_id, std::size_t n, text_arena& arena) {
    return quote("toolu_" + id_chars(request_id) + "_" + std::to_string(n), arena);
}

}  // namespace sluice::chat::anthropic
