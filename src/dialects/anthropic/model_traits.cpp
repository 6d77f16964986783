#include "dialects/anthropic/model_traits.hpp"

#include "base/ascii.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace sluice::chat::anthropic {
namespace {

enum class line : std::uint8_t { opus, sonnet, haiku, fable, mythos };

constexpr std::pair<std::string_view, line> lines[] = {
    {"opus", line::opus},   {"sonnet", line::sonnet}, {"haiku", line::haiku},
    {"fable", line::fable}, {"mythos", line::mythos},
};

bool is_separator(char c) {
    return c == '-' || c == '.' || c == '_' || c == '@';
}

// A number of one or two digits at the front of `text`, which goes on behind it; dates have more digits.
std::optional<int> take_number(std::string_view& text) {
    std::size_t digits = 0;
    while (digits < text.size() && ascii::is_digit(text[digits])) ++digits;
    if (digits == 0 || digits > 2) return std::nullopt;
    int value = 0;
    for (const char c : text.substr(0, digits)) value = value * 10 + (c - '0');
    text.remove_prefix(digits);
    return value;
}

// "-4-6...", "4.7...": major and minor, as 406 and 407; 0 where there is no number.
int version_at(std::string_view text) {
    if (!text.empty() && is_separator(text.front())) text.remove_prefix(1);
    const auto major = take_number(text);
    if (!major) return 0;
    if (text.empty() || !is_separator(text.front()) || text.front() == '@') return *major * 100;
    text.remove_prefix(1);
    return *major * 100 + take_number(text).value_or(0);
}

struct model_version {
    line of = line::opus;
    int number = 0;  // 406 is 4.6; 0: the name does not tell
};

std::optional<model_version> version_of(std::string_view name) {
    std::string text(name);
    std::transform(text.begin(), text.end(), text.begin(), [](char c) { return ascii::lower(c); });
    const std::string_view lowered = text;
    const auto claude = lowered.find("claude");
    if (claude == std::string_view::npos) return std::nullopt;
    const std::string_view rest = lowered.substr(claude + 6);
    for (const auto& [word, of] : lines) {
        const auto at = rest.find(word);
        if (at == std::string_view::npos) continue;
        const int behind = version_at(rest.substr(at + word.size()));
        const int before = version_at(rest.substr(0, at));  // "claude-3-7-sonnet"
        return model_version{of, behind != 0 ? behind : before};
    }
    return std::nullopt;
}

}  // namespace

model_traits traits_of_model(std::string_view name) {
    model_traits t;
    const auto found = version_of(name);
    if (!found) return t;
    auto [of, version] = *found;
    if (version == 0 && of == line::mythos) version = 408;  // the preview, which came before numbers
    if (version == 0) return t;
    const bool always_thinks = of == line::fable || of == line::mythos;
    t.known = true;
    t.adaptive = version >= 406;
    t.budgets = version < 407;
    t.sampling = version < 407;
    t.effort = version >= 406 || (of == line::opus && version == 405);
    t.effort_xhigh = version >= 407;
    t.thinks_by_default = version >= 500 || always_thinks;
    t.forced_tools = !(version >= 505 && of != line::haiku) && !(always_thinks && version >= 501);
    t.thinks_when_forced = version >= 500;
    t.strict_tools = version >= 405 || (of == line::opus && version == 401);
    if (always_thinks || (of == line::opus && version >= 505)) t.off = model_traits::off_switch::none;
    if (of == line::sonnet && version >= 505) t.off = model_traits::off_switch::between_tools;
    return t;
}

}  // namespace sluice::chat::anthropic
