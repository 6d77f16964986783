#include "routing/signals/server_report.hpp"

#include <sluice/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace sluice::signals {
namespace {

constexpr std::size_t header_max = 8 << 10;

void take(std::string_view name, double value, server_report& r) {
    if (!std::isfinite(value) || value < 0) return;
    const auto count = static_cast<std::int64_t>(std::min(value, 1e15));
    if (name == "kv_cache_usage_perc" || name == "gpu_cache_usage_perc") r.kv_use = std::min(1.0, value);
    if (name == "num_requests_waiting") r.waiting = count;
    if (name == "num_requests_running") r.running = count;
}

void read_text(std::string_view text, server_report& r) {
    constexpr std::string_view prefix = "named_metrics.";
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        std::string_view one = text.substr(0, comma);
        text.remove_prefix(std::min(comma + 1, text.size()));
        while (one.starts_with(' ')) one.remove_prefix(1);
        const auto equals = one.find('=');
        if (equals == one.npos || !one.starts_with(prefix)) continue;
        double value = -1;
        const std::string_view number = one.substr(equals + 1);
        const auto [end, ec] = std::from_chars(number.data(), number.data() + number.size(), value);
        if (ec == std::errc{}) take(one.substr(prefix.size(), equals - prefix.size()), value, r);
    }
}

void read_json(std::string_view text, server_report& r) {
    const auto whole = json_object::parse(text);
    if (!whole) return;
    const auto named = whole->find("named_metrics");
    if (!named || named->type != json_type::object) return;
    const auto metrics = json_object::inside(*named);
    if (!metrics) return;
    for (const json_member& m : metrics->members()) {
        if (const auto value = m.value.number()) take(m.key, *value, r);
    }
}

}  // namespace

std::optional<server_report> read_load_header(std::string_view value) {
    if (value.size() > header_max) return std::nullopt;
    server_report r;
    if (value.starts_with("TEXT ")) {
        read_text(value.substr(5), r);
    } else if (value.starts_with("JSON ")) {
        read_json(value.substr(5), r);
    }
    if (r.running < 0 && r.waiting < 0 && r.kv_use < 0) return std::nullopt;
    return r;
}

}  // namespace sluice::signals
