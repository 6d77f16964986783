#include "dialects/anthropic/usage.hpp"

#include "dialects/values.hpp"

#include <algorithm>

namespace sluice::chat::anthropic {
namespace {

// Nothing counts further, and sums of it do not overflow.
constexpr std::int64_t count_max = std::int64_t{1} << 60;

std::int64_t at_least_none(std::int64_t count) {
    return std::clamp<std::int64_t>(count, 0, count_max);
}

void take(std::int64_t& count, const json_value& value) {
    if (value.type != json_type::number) return;
    const auto n = value.integer();
    if (n && *n >= 0) count = std::min(*n, count_max);
}

void take_inner(json object, std::string_view name, std::int64_t& count) {
    each_member(object, [&](std::string_view key, const json_value& value) {
        if (key == name) take(count, value);
    });
}

std::int64_t uncached(const token_usage& u) {
    return at_least_none(at_least_none(u.input) - at_least_none(u.cached_input) - at_least_none(u.cache_write));
}

// The words that Anthropic has for it.
std::string_view tier_of(json tier) {
    if (says(tier, "priority")) return "\"priority\"";
    if (says(tier, "batch")) return "\"batch\"";
    if (says(tier, "standard") || says(tier, "default")) return "\"standard\"";
    return "null";
}

}  // namespace

void usage_counts::merge(json usage) {
    each_member(usage, [&](std::string_view key, const json_value& value) {
        if (key == "input_tokens") {
            take(input, value);
        } else if (key == "output_tokens") {
            take(output, value);
        } else if (key == "cache_read_input_tokens") {
            take(cache_read, value);
        } else if (key == "cache_creation_input_tokens") {
            take(cache_write, value);
        } else if (key == "cache_creation") {
            take_inner(value.raw, "ephemeral_1h_input_tokens", cache_write_1h);
        } else if (key == "output_tokens_details") {
            take_inner(value.raw, "thinking_tokens", thinking);
        } else if (key == "service_tier" && value.type == json_type::string) {
            service_tier = value.raw;
        }
    });
}

token_usage usage_counts::total() const {
    token_usage u;
    if (input >= 0) u.input = input + at_least_none(cache_read) + at_least_none(cache_write);
    u.output = output;
    u.cached_input = cache_read;
    u.cache_write = cache_write;
    u.cache_write_1h = cache_write_1h;
    u.reasoning = thinking;
    return u;
}

void write_usage(http::json_writer& w, const token_usage& u, json tier) {
    const std::int64_t written = at_least_none(u.cache_write);
    const std::int64_t written_1h = std::min(at_least_none(u.cache_write_1h), written);
    w.begin_object().key("input_tokens").integer(uncached(u));
    w.key("cache_creation_input_tokens").integer(written);
    w.key("cache_read_input_tokens").integer(at_least_none(u.cached_input));
    w.key("cache_creation").begin_object();
    w.key("ephemeral_5m_input_tokens").integer(written - written_1h);
    w.key("ephemeral_1h_input_tokens").integer(written_1h).end_object();
    w.key("output_tokens").integer(at_least_none(u.output));
    if (u.reasoning >= 0) {
        w.key("output_tokens_details").begin_object().key("thinking_tokens").integer(u.reasoning).end_object();
    }
    w.key("service_tier").raw(tier_of(tier)).end_object();
}

void write_usage_delta(http::json_writer& w, const token_usage& u) {
    w.begin_object();
    if (u.input >= 0) {
        w.key("input_tokens").integer(uncached(u));
        w.key("cache_creation_input_tokens").integer(at_least_none(u.cache_write));
        w.key("cache_read_input_tokens").integer(at_least_none(u.cached_input));
    }
    w.key("output_tokens").integer(at_least_none(u.output));
    if (u.reasoning >= 0) {
        w.key("output_tokens_details").begin_object().key("thinking_tokens").integer(u.reasoning).end_object();
    }
    w.end_object();
}

}  // namespace sluice::chat::anthropic
