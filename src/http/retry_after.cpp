#include "http/retry_after.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <string>

namespace sluice::http {
namespace {

using namespace std::chrono;

constexpr milliseconds longest = hours(24);
constexpr seconds longest_seconds = duration_cast<seconds>(longest);

std::optional<std::time_t> parse_date(const std::string& text) {
    // IMF-fixdate, the one form that senders may still generate.
    std::tm parts{};
    const char* end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (end == nullptr || *end != '\0') return std::nullopt;
    return ::timegm(&parts);
}

}  // namespace

std::optional<milliseconds> parse_retry_after(std::string_view value, system_clock::time_point now) {
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
    if (value.empty()) return std::nullopt;
    double number = 0;  // some providers send fractions
    const auto [end, failed] =
        std::from_chars(value.data(), value.data() + value.size(), number, std::chars_format::fixed);
    if (failed == std::errc{} && end == value.data() + value.size() && number >= 0) {
        return std::min(longest, milliseconds(static_cast<std::int64_t>(std::min(number, 1e6) * 1000)));
    }
    const auto date = parse_date(std::string(value));
    if (!date) return std::nullopt;
    // In whole seconds of 64 bits: the clock's own unit cannot hold the year 9999.
    const seconds wait(*date - system_clock::to_time_t(now));
    return std::clamp<milliseconds>(std::min<seconds>(wait, longest_seconds), milliseconds(0), longest);
}

}  // namespace sluice::http
