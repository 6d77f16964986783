#include "config/plain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace sluice::config {
namespace {

constexpr bool digit(char c) {
    return c >= '0' && c <= '9';
}

std::string lowered(std::string_view text) {
    std::string out{text};
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    return out;
}

// Cuts the digits off the front and says how many there were.
std::size_t cut_digits(std::string_view& s) {
    const auto end = std::find_if_not(s.begin(), s.end(), digit);
    const auto n = static_cast<std::size_t>(end - s.begin());
    s.remove_prefix(n);
    return n;
}

// The number grammar of JSON (RFC 8259 section 6).
plain_kind json_number(std::string_view s) {
    plain_kind kind = plain_kind::integer;
    if (s.starts_with('-')) s.remove_prefix(1);
    const bool zero = s.starts_with('0');
    const std::size_t whole = cut_digits(s);
    if (whole == 0 || (zero && whole > 1)) return plain_kind::text;
    if (s.starts_with('.')) {
        s.remove_prefix(1);
        kind = plain_kind::number;
        if (cut_digits(s) == 0) return plain_kind::text;
    }
    if (s.starts_with('e') || s.starts_with('E')) {
        s.remove_prefix(1);
        kind = plain_kind::number;
        if (s.starts_with('+') || s.starts_with('-')) s.remove_prefix(1);
        if (cut_digits(s) == 0) return plain_kind::text;
    }
    return s.empty() ? kind : plain_kind::text;
}

bool old_boolean(std::string_view plain, std::string& hint) {
    static constexpr std::string_view yes[] = {"yes", "on", "y", "true"};
    static constexpr std::string_view no[] = {"no", "off", "n", "false"};
    const std::string word = lowered(plain);
    if (std::find(std::begin(yes), std::end(yes), word) != std::end(yes)) {
        hint = "write true";
    } else if (std::find(std::begin(no), std::end(no), word) != std::end(no)) {
        hint = "write false";
    }
    return !hint.empty();
}

bool only(std::string_view s, std::string_view allowed) {
    return !s.empty() && s.find_first_not_of(allowed) == std::string_view::npos;
}

// 1:30 is 90 in YAML 1.1, 1:30:00 is 5400.
bool sexagesimal(std::string_view s) {
    const auto first = s.find(':');
    if (first == std::string_view::npos || !only(s.substr(0, first), "0123456789_")) return false;
    while (!s.empty()) {
        const auto colon = s.find(':');
        if (colon == std::string_view::npos) break;
        s.remove_prefix(colon + 1);
        const std::string_view part = s.substr(0, s.find_first_of(":."));
        if (!only(part, "0123456789") || part.size() > 2 || (part.size() == 2 && part[0] > '5')) return false;
    }
    const auto dot = s.find('.');
    return dot == std::string_view::npos || s.find_first_not_of("0123456789_", dot + 1) == std::string_view::npos;
}

// The hint for what YAML 1.1 or 1.2 take for a number and JSON does not; empty for a text.
std::string old_number(std::string_view plain) {
    std::string_view s = plain;
    const bool sign = s.starts_with('+') || s.starts_with('-');
    if (sign) s.remove_prefix(1);
    const std::string low = lowered(s);
    if (low == ".inf" || (!sign && low == ".nan")) return "write a finite number";
    if (low.size() > 2 && low[0] == '0' && low[1] == 'x' && only(std::string_view{low}.substr(2), "0123456789abcdef_"))
        return "write the number in decimal";
    if (low.size() > 2 && low[0] == '0' && (low[1] == 'o' || low[1] == 'b') &&
        only(std::string_view{low}.substr(2), "01234567_"))
        return "write the number in decimal";
    if (s.empty() || !(digit(s[0]) || s[0] == '.')) return {};
    if (sexagesimal(s)) return "YAML 1.1 reads it to the base of 60: write the number in decimal";
    const bool underscores = s.find('_') != std::string_view::npos;
    std::string bare{s};
    std::erase(bare, '_');
    if (only(bare, "0123456789")) {
        if (bare.size() > 1 && bare[0] == '0') return "YAML 1.1 reads leading zeros as octal: write it without";
        if (underscores) return fmt::format("write {}{}", plain.starts_with('-') ? "-" : "", bare);
    }
    // What is left: a plus sign, a missing digit beside the point, underscores in a fraction.
    if (!digit(bare[0]) && (bare.size() < 2 || !digit(bare[1]))) return {};  // "...", "._"
    std::string whole = bare;
    if (whole.starts_with('.')) whole.insert(0, 1, '0');
    if (const auto point = whole.find('.');
        point != std::string::npos && (point + 1 == whole.size() || !digit(whole[point + 1])))
        whole.insert(point + 1, 1, '0');
    const auto nonzero = std::min(whole.find_first_not_of('0'), whole.size() - 1);
    if (nonzero > 0) whole.erase(0, digit(whole[nonzero]) ? nonzero : nonzero - 1);
    if (json_number(whole) == plain_kind::text) return {};
    return fmt::format("write {}{}", plain.starts_with('-') ? "-" : "", whole);
}

struct unit {
    std::string_view name;
    double factor;
};
constexpr std::array<unit, 5> duration_units{{{"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}, {"d", 8.64e7}}};
constexpr std::array<unit, 9> size_units{{{"B", 1},
                                          {"KB", 1e3},
                                          {"MB", 1e6},
                                          {"GB", 1e9},
                                          {"TB", 1e12},
                                          {"KiB", 1024},
                                          {"MiB", 1048576},
                                          {"GiB", 1073741824},
                                          {"TiB", 1099511627776}}};

// "1.5GB" -> 1.5e9; nothing unless the whole text is a number without sign, then a unit. The amount
// must be whole and small enough to be exact in a double.
template <std::size_t N>
std::optional<double> parse_amount(std::string_view text, const std::array<unit, N>& units, double max) {
    std::string_view rest = text;
    cut_digits(rest);
    if (rest.starts_with('.')) {
        rest.remove_prefix(1);
        cut_digits(rest);
    }
    const std::string_view digits = text.substr(0, text.size() - rest.size());
    if (json_number(digits) == plain_kind::text) return std::nullopt;
    const auto found = std::find_if(units.begin(), units.end(), [&](const unit& u) { return u.name == rest; });
    if (found == units.end()) return std::nullopt;
    double n = 0;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), n).ec != std::errc{}) return std::nullopt;
    // 1.1s is 1100.0000000000002 ms in binary: whole means whole up to that error.
    const double amount = std::round(n * found->factor);
    const bool whole = std::abs(n * found->factor - amount) <= amount * 1e-12;
    return whole && amount <= max ? std::optional{amount} : std::nullopt;
}

}  // namespace

plain_meaning classify(std::string_view plain) {
    if (plain == "true" || plain == "false") return {plain_kind::boolean, {}};
    plain_meaning m;
    if (old_boolean(plain, m.hint)) {
        m.kind = plain_kind::old_boolean;
        return m;
    }
    m.kind = json_number(plain);
    if (m.kind != plain_kind::text) return m;
    // Long texts are no numbers; this also keeps prompts out of the checks below.
    if (plain.size() <= 64) m.hint = old_number(plain);
    if (!m.hint.empty()) m.kind = plain_kind::old_number;
    return m;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
    constexpr double century = 36525 * 8.64e7;
    const auto ms = parse_amount(text, duration_units, century);
    if (!ms) return std::nullopt;
    return std::chrono::milliseconds{static_cast<std::int64_t>(*ms)};
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
    constexpr double exact = 9007199254740992;  // 2^53
    static constexpr std::array<unit, 1> bytes{{{"", 1}}};
    auto n = parse_amount(text, size_units, exact);
    if (!n && text.find('.') == std::string_view::npos) n = parse_amount(text, bytes, exact);
    if (!n) return std::nullopt;
    return static_cast<std::uint64_t>(*n);
}

std::string spell_duration(std::chrono::milliseconds d) {
    const auto ms = d.count();
    for (auto u = duration_units.rbegin(); u != duration_units.rend(); ++u) {
        const auto factor = static_cast<std::int64_t>(u->factor);
        if (ms != 0 && ms % factor == 0) return fmt::format("{}{}", ms / factor, u->name);
    }
    return "0s";
}

std::string spell_size(std::uint64_t bytes) {
    for (const std::string_view name : {"TiB", "GiB", "MiB", "KiB"}) {
        const auto u =
            std::find_if(size_units.begin(), size_units.end(), [&](const unit& x) { return x.name == name; });
        const auto factor = static_cast<std::uint64_t>(u->factor);
        if (bytes != 0 && bytes % factor == 0) return fmt::format("{}{}", bytes / factor, name);
    }
    return fmt::format("{}", bytes);
}

}  // namespace sluice::config
