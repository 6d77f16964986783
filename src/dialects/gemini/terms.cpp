// Words of Gemini's and what they mean elsewhere: names of fields, reasons, usage, errors.
#include "dialects/context_overflow.hpp"
#include "dialects/gemini/gemini.hpp"
#include "dialects/values.hpp"
#include "http/json_writer.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace sluice::chat::gemini {
namespace {

struct reason_name {
    finish_reason reason;
    std::string_view name;
};
// Both ways: for a reason the first line that has it.
constexpr reason_name reasons[] = {
    {finish_reason::stop, "STOP"},
    {finish_reason::stop_sequence, "STOP"},
    {finish_reason::tool_calls, "STOP"},
    {finish_reason::pause, "STOP"},
    {finish_reason::length, "MAX_TOKENS"},
    {finish_reason::context_window, "MAX_TOKENS"},
    {finish_reason::content_filter, "SAFETY"},
    {finish_reason::content_filter, "RECITATION"},
    {finish_reason::content_filter, "LANGUAGE"},
    {finish_reason::content_filter, "BLOCKLIST"},
    {finish_reason::content_filter, "PROHIBITED_CONTENT"},
    {finish_reason::content_filter, "SPII"},
    {finish_reason::content_filter, "MODEL_ARMOR"},
    {finish_reason::content_filter, "IMAGE_SAFETY"},
    {finish_reason::content_filter, "IMAGE_PROHIBITED_CONTENT"},
    {finish_reason::content_filter, "IMAGE_RECITATION"},
    {finish_reason::refusal, "PROHIBITED_CONTENT"},
    {finish_reason::malformed_call, "MALFORMED_FUNCTION_CALL"},
    {finish_reason::malformed_call, "UNEXPECTED_TOOL_CALL"},
    {finish_reason::malformed_call, "MISSING_THOUGHT_SIGNATURE"},
    {finish_reason::other, "OTHER"},
};

struct code_name {
    int status;
    std::string_view name;
};
// google.rpc.Code by HTTP status, as google/rpc/code.proto maps them. For a status the first line that has it.
constexpr code_name codes[] = {
    {400, "INVALID_ARGUMENT"},  {400, "FAILED_PRECONDITION"}, {401, "UNAUTHENTICATED"},
    {403, "PERMISSION_DENIED"}, {404, "NOT_FOUND"},           {409, "ABORTED"},
    {409, "ALREADY_EXISTS"},    {429, "RESOURCE_EXHAUSTED"},  {499, "CANCELLED"},
    {500, "INTERNAL"},          {501, "UNIMPLEMENTED"},       {503, "UNAVAILABLE"},
    {504, "DEADLINE_EXCEEDED"},
};

// "modality": "AUDIO" among {"modality","tokenCount"} entries; -1 where there is none.
std::int64_t audio_in(json details) {
    std::int64_t found = -1;
    each_element(details, [&](const json_value& entry) {
        bool audio = false;
        std::int64_t n = -1;
        each_member(entry.raw, [&](std::string_view key, const json_value& v) {
            if (key == "modality") audio = says(v.raw, "AUDIO");
            if (is_field(key, "tokenCount")) n = v.integer().value_or(-1);
        });
        if (audio) found = n;
    });
    return found;
}

std::int64_t sum(std::int64_t a, std::int64_t b) {
    return a < 0 ? b : b < 0 ? a : a + b;
}

}  // namespace

bool is_field(std::string_view key, std::string_view camel) {
    std::size_t i = 0;
    for (const char c : camel) {
        const bool upper = c >= 'A' && c <= 'Z';
        if (i < key.size() && key[i] == c) {
            ++i;
        } else if (upper && i + 1 < key.size() && key[i] == '_' && key[i + 1] == (c | 0x20)) {
            i += 2;
        } else {
            return false;
        }
    }
    return i == key.size();
}

finish_reason finish_of(json name) {
    if (!is_string(name) || says(name, "FINISH_REASON_UNSPECIFIED")) return finish_reason::none;
    for (const reason_name& n : reasons) {
        if (says(name, n.name)) return n.reason;
    }
    return finish_reason::other;
}

std::string_view finish_name(finish_reason r) {
    for (const reason_name& n : reasons) {
        if (n.reason == r) return n.name;
    }
    return "OTHER";
}

token_usage read_usage(json metadata) {
    token_usage u;
    std::int64_t tools = -1, thoughts = -1;
    each_member(metadata, [&](std::string_view key, const json_value& v) {
        const std::int64_t n = v.integer().value_or(-1);
        if (is_field(key, "promptTokenCount")) u.input = n;
        if (is_field(key, "toolUsePromptTokenCount")) tools = n;
        if (is_field(key, "candidatesTokenCount")) u.output = n;
        if (is_field(key, "thoughtsTokenCount")) thoughts = n;
        if (is_field(key, "cachedContentTokenCount")) u.cached_input = n;
        if (is_field(key, "promptTokensDetails")) u.audio_input = audio_in(v.raw);
        if (is_field(key, "candidatesTokensDetails")) u.audio_output = audio_in(v.raw);
    });
    u.input = sum(u.input, tools);
    u.output = sum(u.output, thoughts);
    u.reasoning = thoughts;
    return u;
}

void write_usage(const token_usage& u, std::string& out) {
    const std::int64_t input = std::max<std::int64_t>(u.input, 0), output = std::max<std::int64_t>(u.output, 0);
    const std::int64_t thoughts = std::clamp<std::int64_t>(u.reasoning, 0, output);
    http::json_writer w(out);
    w.begin_object().key("promptTokenCount").integer(input).key("candidatesTokenCount").integer(output - thoughts);
    if (u.reasoning > 0) w.key("thoughtsTokenCount").integer(thoughts);
    if (u.cached_input > 0) w.key("cachedContentTokenCount").integer(u.cached_input);
    w.key("totalTokenCount").integer(input + output).end_object();
}

void write_error(const error_facts& e, std::string& out) {
    const auto* code =
        std::find_if(std::begin(codes), std::end(codes), [&](const code_name& c) { return c.status == e.status; });
    std::string_view name = code != std::end(codes) ? code->name : e.status < 500 ? "INVALID_ARGUMENT" : "INTERNAL";
    // What came from Gemini keeps its own word.
    for (const code_name& c : codes) {
        if (c.name == e.type) name = c.name;
    }
    http::json_writer w(out);
    w.begin_object().key("error").begin_object().key("code").integer(e.status).key("message").string(e.message);
    w.key("status").string(name).end_object().end_object();
}

namespace {

// google.rpc.RetryInfo: {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.07s"}
void read_retry_info(json detail, error_facts& e) {
    constexpr double seconds_max = 86'400;
    each_member(detail, [&](std::string_view key, const json_value& v) {
        const std::string_view text = chars_of(v.raw);
        if (key != "retryDelay" || !text.ends_with('s')) return;
        double seconds = 0;
        const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size() - 1, seconds);
        if (bad != std::errc{} || end != text.data() + text.size() - 1 || !(seconds > 0)) return;
        e.retry_after = std::chrono::milliseconds(std::llround(std::min(seconds, seconds_max) * 1000));
    });
}

}  // namespace

error_facts read_error(int status, std::string_view body) {
    error_facts e;
    e.status = status;
    const auto read = [&](json object) {
        each_member(object, [&](std::string_view key, const json_value& error) {
            if (key != "error") return;
            each_member(error.raw, [&](std::string_view k, const json_value& v) {
                if (k == "message") e.message = decode(v.raw);
                if (k == "status") e.type = decode(v.raw);
                if (k == "details") each_element(v.raw, [&](const json_value& d) { read_retry_info(d.raw, e); });
            });
        });
    };
    const auto begin = body.find_first_not_of(" \t\r\n");
    if (begin != std::string_view::npos && validate_json(body)) {
        const json text = body.substr(begin);
        read(text);
        each_element(text, [&](const json_value& v) { read(v.raw); });  // streams without alt=sse wrap it
    }
    if (says_too_long(status, body)) e.code = "context_length_exceeded";
    if (e.message.empty())
        e.message =
            "The upstream answered with status " + std::to_string(status) + (body.empty() ? "." : ": " + excerpt(body));
    return e;
}

bool thinks_by_level(std::string_view model) {
    const auto at = model.find("gemini-");
    if (at == std::string_view::npos) return true;
    const std::string_view version = model.substr(at + 7);
    return version.empty() || version.front() < '0' || version.front() > '2';
}

}  // namespace sluice::chat::gemini
