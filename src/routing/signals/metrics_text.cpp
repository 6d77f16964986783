#include "routing/signals/metrics_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace sluice::signals {
namespace {

std::string_view trim_left(std::string_view s) {
    const auto at = s.find_first_not_of(" \t");
    return at == s.npos ? std::string_view{} : s.substr(at);
}

// Behind the closing brace of labels that begin at s[0] == '{'; npos: there is none.
std::size_t end_of_labels(std::string_view s) {
    bool quoted = false;
    for (std::size_t i = 1; i < s.size(); ++i) {
        if (quoted && s[i] == '\\') {
            ++i;
        } else if (s[i] == '"') {
            quoted = !quoted;
        } else if (!quoted && s[i] == '}') {
            return i + 1;
        }
    }
    return s.npos;
}

}  // namespace

std::optional<std::string_view> metrics_text::next_line() {
    while (!rest_.empty()) {
        const std::size_t end = std::min(rest_.find('\n'), rest_.size());
        if (end > line_max) {
            rest_ = {};
            return std::nullopt;
        }
        std::string_view line = trim_left(rest_.substr(0, end));
        rest_.remove_prefix(std::min(end + 1, rest_.size()));
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        if (!line.empty() && line.front() != '#') return line;
    }
    return std::nullopt;
}

std::optional<metric_sample> metrics_text::read_sample(std::string_view line, std::string_view name) {
    metric_sample s;
    s.name = name;
    std::string_view rest = trim_left(line.substr(name.size()));
    if (!rest.empty() && rest.front() == '{') {
        const std::size_t end = end_of_labels(rest);
        if (end == rest.npos) return std::nullopt;
        s.labels = rest.substr(1, end - 2);
        rest = trim_left(rest.substr(end));
    }
    const std::string_view number = rest.substr(0, rest.find_first_of(" \t"));  // a timestamp may follow
    const char* const first = number.data() + (number.starts_with('+') ? 1 : 0);
    const auto [end, ec] = std::from_chars(first, number.data() + number.size(), s.value);
    if (ec != std::errc{} || end != number.data() + number.size() || !std::isfinite(s.value)) return std::nullopt;
    return s;
}

std::optional<std::string> label_of(std::string_view labels, std::string_view name) {
    while (!labels.empty()) {
        const auto equals = labels.find('=');
        if (equals == labels.npos || equals + 1 >= labels.size() || labels[equals + 1] != '"') return std::nullopt;
        std::string_view key = trim_left(labels.substr(0, equals));
        while (key.ends_with(' ')) key.remove_suffix(1);
        std::string value;
        std::size_t i = equals + 2;
        for (; i < labels.size() && labels[i] != '"'; ++i) {
            if (labels[i] == '\\' && i + 1 < labels.size()) {
                ++i;
                value += labels[i] == 'n' ? '\n' : labels[i];
            } else {
                value += labels[i];
            }
        }
        if (i >= labels.size()) return std::nullopt;
        if (key == name) return value;
        labels.remove_prefix(i + 1);
        const auto comma = labels.find_first_not_of(" \t,");
        labels = comma == labels.npos ? std::string_view{} : labels.substr(comma);
    }
    return std::nullopt;
}

}  // namespace sluice::signals
