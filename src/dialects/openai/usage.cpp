#include "dialects/openai/openai.hpp"
#include "dialects/values.hpp"
#include "http/json_writer.hpp"

#include <algorithm>

namespace sluice::chat::openai {
namespace {

struct reason_name {
    finish_reason reason;
    std::string_view name;
};
// Both ways: for a reason the first line that has it. What chat completions lack becomes the nearest they have.
constexpr reason_name reasons[] = {
    {finish_reason::stop, "stop"},
    {finish_reason::stop_sequence, "stop"},
    {finish_reason::length, "length"},
    {finish_reason::context_window, "length"},
    {finish_reason::tool_calls, "tool_calls"},
    {finish_reason::tool_calls, "function_call"},
    {finish_reason::content_filter, "content_filter"},
    {finish_reason::refusal, "content_filter"},
    {finish_reason::refusal, "refusal"},
    {finish_reason::pause, "stop"},
    {finish_reason::malformed_call, "stop"},
    {finish_reason::other, "stop"},
    {finish_reason::length, "model_length"},  // Mistral
    {finish_reason::other, "error"},
};

// What is above is no count of tokens, and sums of counts stay in range.
constexpr std::int64_t tokens_max = 1'000'000'000'000;

std::int64_t count(const json_value& v) {
    const auto n = v.integer();
    return n && *n >= 0 && *n <= tokens_max ? *n : -1;
}

}  // namespace

std::string_view finish_name(finish_reason r) {
    for (const reason_name& n : reasons) {
        if (n.reason == r) return n.name;
    }
    return "stop";
}

finish_reason finish_of(json name) {
    if (!is_string(name)) return finish_reason::none;
    for (const reason_name& n : reasons) {
        if (says(name, n.name)) return n.reason;
    }
    return finish_reason::other;
}

token_usage read_chat_usage(json usage) {
    token_usage u;
    std::int64_t total = -1;
    each_member(usage, [&](std::string_view key, const json_value& v) {
        if (key == "prompt_tokens") u.input = count(v);
        if (key == "completion_tokens") u.output = count(v);
        if (key == "total_tokens") total = count(v);
        if (key == "prompt_cache_hit_tokens" || key == "cached_tokens")
            u.cached_input = count(v);  // DeepSeek, Moonshot
        if (key == "prompt_tokens_details") {
            each_member(v.raw, [&](std::string_view k, const json_value& n) {
                if (k == "cached_tokens") u.cached_input = count(n);
                if (k == "cache_write_tokens") u.cache_write = count(n);
                if (k == "audio_tokens") u.audio_input = count(n);
            });
        }
        if (key == "completion_tokens_details") {
            each_member(v.raw, [&](std::string_view k, const json_value& n) {
                if (k == "reasoning_tokens") u.reasoning = count(n);
                if (k == "audio_tokens") u.audio_output = count(n);
            });
        }
    });
    // Some count the reasoning beside the answer (xAI): then only the three together are the total.
    if (u.reasoning > 0 && u.input >= 0 && u.output >= 0 && total == u.input + u.output + u.reasoning)
        u.output += u.reasoning;
    return u;
}

void write_chat_usage(const token_usage& u, std::string& out) {
    const auto at_least_0 = [](std::int64_t n) { return std::clamp<std::int64_t>(n, 0, 2 * tokens_max); };
    http::json_writer w(out);
    w.begin_object().key("prompt_tokens").integer(at_least_0(u.input));
    w.key("completion_tokens").integer(at_least_0(u.output));
    w.key("total_tokens").integer(at_least_0(u.input) + at_least_0(u.output));
    w.key("prompt_tokens_details").begin_object().key("cached_tokens").integer(at_least_0(u.cached_input));
    if (u.cache_write >= 0) w.key("cache_write_tokens").integer(u.cache_write);
    w.key("audio_tokens").integer(at_least_0(u.audio_input)).end_object();
    w.key("completion_tokens_details").begin_object().key("reasoning_tokens").integer(at_least_0(u.reasoning));
    w.key("audio_tokens").integer(at_least_0(u.audio_output)).end_object().end_object();
}

}  // namespace sluice::chat::openai
