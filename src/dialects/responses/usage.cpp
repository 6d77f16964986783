#include "dialects/responses/usage.hpp"

#include "dialects/values.hpp"

#include <algorithm>
#include <limits>

namespace sluice::chat::responses {

token_usage read_usage(json usage) {
    token_usage u;
    const auto count = [](const json_value& v) { return std::max<std::int64_t>(v.integer().value_or(-1), -1); };
    each_member(usage, [&](std::string_view key, const json_value& v) {
        if (key == "input_tokens") u.input = count(v);
        if (key == "output_tokens") u.output = count(v);
        if (key == "input_tokens_details") {
            each_member(v.raw, [&](std::string_view k, const json_value& n) {
                if (k == "cached_tokens") u.cached_input = count(n);
                if (k == "cache_write_tokens") u.cache_write = count(n);
                if (k == "audio_tokens") u.audio_input = count(n);
            });
        }
        if (key == "output_tokens_details") {
            each_member(v.raw, [&](std::string_view k, const json_value& n) {
                if (k == "reasoning_tokens") u.reasoning = count(n);
                if (k == "audio_tokens") u.audio_output = count(n);
            });
        }
    });
    return u;
}

void write_usage(const token_usage& u, http::json_writer& w) {
    if (!u.reported()) {
        w.null();
        return;
    }
    // Not so many that the sum of two is none.
    const auto at_least_0 = [](std::int64_t n) {
        return std::clamp<std::int64_t>(n, 0, std::numeric_limits<std::int64_t>::max() / 2);
    };
    w.begin_object().key("input_tokens").integer(at_least_0(u.input));
    w.key("input_tokens_details").begin_object().key("cached_tokens").integer(at_least_0(u.cached_input));
    w.key("cache_write_tokens").integer(at_least_0(u.cache_write)).end_object();
    w.key("output_tokens").integer(at_least_0(u.output));
    w.key("output_tokens_details").begin_object().key("reasoning_tokens").integer(at_least_0(u.reasoning)).end_object();
    w.key("total_tokens").integer(at_least_0(u.input) + at_least_0(u.output)).end_object();
}

}  // namespace sluice::chat::responses
