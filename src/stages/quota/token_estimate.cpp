#include "stages/quota/token_estimate.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

namespace sluice::quota {
namespace {

constexpr std::int64_t tokens_max = 100'000'000;  // clients write any number; sums must not overflow
constexpr std::int64_t choices_max = 128;
constexpr std::int64_t bytes_per_token = 4;

std::optional<std::int64_t> bound_at(const json_object& json, std::string_view key) {
    const auto value = json.find(key);
    const auto n = value ? value->integer() : std::nullopt;
    return n && *n >= 0 ? std::optional(std::min(*n, tokens_max)) : std::nullopt;
}

std::optional<std::int64_t> bound_within(const json_object& json, std::string_view object, std::string_view key) {
    const auto value = json.find(object);
    if (!value || value->type != json_type::object) return std::nullopt;
    const auto inner = json_object::inside(*value);
    return inner ? bound_at(*inner, key) : std::nullopt;
}

std::optional<std::int64_t> output_bound(const json_object& json) {
    for (const std::string_view key : {"max_completion_tokens", "max_tokens", "max_output_tokens"}) {
        if (const auto bound = bound_at(json, key)) return bound;
    }
    if (const auto bound = bound_within(json, "generationConfig", "maxOutputTokens")) return bound;
    return bound_within(json, "inferenceConfig", "maxTokens");
}

std::int64_t tokens_in(std::int64_t bytes) {
    return bytes / bytes_per_token + (bytes % bytes_per_token > 0 ? 1 : 0);
}

}  // namespace

token_estimate estimate_tokens(std::uint64_t body_bytes, const json_object* json, const quota_config& config) {
    token_estimate e;
    constexpr auto bytes_max = static_cast<std::uint64_t>(tokens_max * bytes_per_token);
    e.input = tokens_in(static_cast<std::int64_t>(std::min(body_bytes, bytes_max)));
    const auto bound = json != nullptr ? output_bound(*json) : std::nullopt;
    const auto choices = json != nullptr ? bound_at(*json, "n").value_or(1) : 1;
    e.output_bounded = bound.has_value();
    e.output = bound.value_or(config.default_output_tokens) * std::clamp<std::int64_t>(choices, 1, choices_max);
    e.reserved = config.reserve_tokens > 0 ? config.reserve_tokens : e.input + e.output;
    return e;
}

std::int64_t used_tokens(const exchange& x, const token_estimate& estimate) {
    std::int64_t delivered = tokens_in(x.reply_bytes);
    if (estimate.output_bounded) delivered = std::min(delivered, estimate.output);
    if (x.usage.reported()) {
        return (x.usage.input >= 0 ? x.usage.input : estimate.input) +
               (x.usage.output >= 0 ? x.usage.output : delivered);
    }
    if (x.reply_bytes == 0 || x.status >= 400) return 0;
    return estimate.input + delivered;
}

}  // namespace sluice::quota
