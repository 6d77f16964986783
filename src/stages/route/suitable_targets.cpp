#include "stages/route/suitable_targets.hpp"

#include "dialects/context_overflow.hpp"

#include <algorithm>
#include <string>

namespace sluice::route {

const catalogue::model_info* suitable_targets::info_of(const routing::model& m, const routing::target& t) const {
    return known_.any() ? known_.find(upstream_name(m, t, star_)) : nullptr;
}

bool suitable_targets::can(const routing::model& m, const routing::target& t) const {
    if (demanded_.empty()) return true;
    const catalogue::model_info* const info = info_of(m, t);
    return info != nullptr && std::all_of(demanded_.begin(), demanded_.end(),
                                          [&](catalogue::capability c) { return info->can.get(c).value_or(false); });
}

bool suitable_targets::any(const routing::model& m) const {
    const auto has = [&](const routing::model& of) {
        return std::any_of(of.targets.begin(), of.targets.end(), [&](const routing::target& t) { return can(of, t); });
    };
    return has(m) || std::any_of(m.fallback.begin(), m.fallback.end(), [&](const auto* f) { return has(*f); });
}

bool suitable_targets::allows(const routing::model& m, const routing::target& t) const {
    if (!can(m, t)) return false;
    if (refusals_.empty()) return true;
    const std::int64_t window = window_of(m, t);
    return std::all_of(refusals_.begin(), refusals_.end(),
                       [&](const refusal& r) { return window > 0 && r.window > 0 ? window > r.window : &m != r.by; });
}

std::int64_t suitable_targets::window_of(const routing::model& m, const routing::target& t) const {
    const catalogue::model_info* const info = info_of(m, t);
    return info != nullptr ? info->context_tokens : 0;
}

bool suitable_targets::must_count(const routing::candidate& c, std::size_t body_bytes) const {
    const auto tokens = static_cast<std::int64_t>(body_bytes) / 2;
    if (tokens <= known_.smallest_window()) return false;  // nearly every request: no name is looked up
    const std::int64_t window = window_of(c);
    return window > 0 && tokens > window;
}

const tokens::bpe_counter* suitable_targets::counter(const routing::candidate& c) const {
    return known_.counter(info_of(*c.of, *c.to));
}

void suitable_targets::too_small(const routing::candidate& c) {
    refusals_.push_back({c.of, window_of(c)});
}

error too_long(std::int64_t tokens, std::int64_t window) {
    const std::string most = std::to_string(window);
    return error{error_kind::context_length_exceeded,
                 "This model's maximum context length is " + most + " tokens, but the prompt is too long: " +
                     std::to_string(tokens) + " tokens > " + most + " maximum.",
                 "messages"};
}

bool is_too_long(const error& e) {
    if (e.kind == error_kind::context_length_exceeded) return true;
    return e.upstream != nullptr && chat::says_too_long(e.upstream->status, e.upstream->body);
}

}  // namespace sluice::route
