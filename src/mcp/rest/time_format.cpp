#include "mcp/rest/time_format.hpp"

#include "base/ascii.hpp"

#include <fmt/format.h>

#include <array>

namespace sluice::mcp::rest {

namespace {

using namespace std::chrono;

constexpr std::array<std::string_view, 12> months = {"January",   "February", "March",    "April",
                                                     "May",       "June",     "July",     "August",
                                                     "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> days = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                  "Thursday", "Friday", "Saturday"};

std::string offset_text(int offset, std::string_view colon) {
    const int minutes = (offset < 0 ? -offset : offset) / 60;
    return fmt::format("{}{:02}{}{:02}", offset < 0 ? '-' : '+', minutes / 60, colon, minutes % 60);
}

struct moment {
    int year;
    unsigned month, day, weekday, hour, minute, second;
    long nanoseconds;
    std::string zone;
    int offset;
};

moment at(sys_time<nanoseconds> when, std::string_view zone, int offset) {
    const auto local = when + seconds{offset};
    const auto midnight = floor<std::chrono::days>(local);
    const year_month_day date{midnight};
    const hh_mm_ss<nanoseconds> clock{local - midnight};
    const bool named = zone == "UTC" || zone == "GMT";
    return {int(date.year()),
            unsigned(date.month()),
            unsigned(date.day()),
            weekday{midnight}.c_encoding(),
            static_cast<unsigned>(clock.hours().count()),
            static_cast<unsigned>(clock.minutes().count()),
            static_cast<unsigned>(clock.seconds().count()),
            static_cast<long>(clock.subseconds().count()),
            named || offset == 0 ? std::string{named ? zone : "UTC"} : offset_text(offset, ""),
            offset};
}

// Longer words first, since they begin with shorter ones.
constexpr std::array<std::string_view, 24> words = {
    "January", "Monday", "Z07:00", "-07:00", "-0700", "2006", "Jan", "Mon", "MST", "01", "02", "03",
    "04",      "05",     "06",     "15",     "_2",    "PM",   "pm",  "1",   "2",   "3",  "4",  "5"};

std::string word_text(std::string_view word, const moment& m) {
    const unsigned hour = m.hour % 12 == 0 ? 12 : m.hour % 12;
    if (word == "January") return std::string{months[m.month - 1]};
    if (word == "Jan") return std::string{months[m.month - 1].substr(0, 3)};
    if (word == "Monday") return std::string{days[m.weekday]};
    if (word == "Mon") return std::string{days[m.weekday].substr(0, 3)};
    if (word == "Z07:00") return m.offset == 0 ? "Z" : offset_text(m.offset, ":");
    if (word == "-07:00") return offset_text(m.offset, ":");
    if (word == "-0700") return offset_text(m.offset, "");
    if (word == "2006") return fmt::format("{:04}", m.year);
    if (word == "06") return fmt::format("{:02}", m.year % 100);
    if (word == "MST") return m.zone;
    if (word == "01") return fmt::format("{:02}", m.month);
    if (word == "1") return std::to_string(m.month);
    if (word == "02") return fmt::format("{:02}", m.day);
    if (word == "_2") return fmt::format("{:2}", m.day);
    if (word == "2") return std::to_string(m.day);
    if (word == "15") return fmt::format("{:02}", m.hour);
    if (word == "03") return fmt::format("{:02}", hour);
    if (word == "3") return std::to_string(hour);
    if (word == "04") return fmt::format("{:02}", m.minute);
    if (word == "4") return std::to_string(m.minute);
    if (word == "05") return fmt::format("{:02}", m.second);
    if (word == "5") return std::to_string(m.second);
    if (word == "PM") return m.hour < 12 ? "AM" : "PM";
    return m.hour < 12 ? "am" : "pm";
}

// ".000": that many digits of the second, of nine at most.
std::size_t fraction_digits(std::string_view rest) {
    if (!rest.starts_with('.')) return 0;
    std::size_t n = 1;
    while (n < rest.size() && rest[n] == '0') ++n;
    return n > 10 || (n < rest.size() && ascii::is_digit(rest[n])) ? 0 : n - 1;
}

}  // namespace

std::optional<int> zone_offset(std::string_view zone) {
    constexpr int hour = 3600;
    if (zone.empty() || zone == "UTC" || zone == "GMT" || zone == "Local") return 0;
    for (const std::string_view east8 : {"Asia/Shanghai", "Asia/Hong_Kong", "Asia/Singapore", "Asia/Taipei"}) {
        if (zone == east8) return 8 * hour;
    }
    if (zone == "Asia/Tokyo" || zone == "Asia/Seoul") return 9 * hour;
    if (zone == "Asia/Kolkata") return 5 * hour + hour / 2;
    const bool shaped = zone.size() == 6 && (zone[0] == '+' || zone[0] == '-') && zone[3] == ':';
    if (!shaped) return std::nullopt;
    for (const std::size_t i : {1U, 2U, 4U, 5U}) {
        if (!ascii::is_digit(zone[i])) return std::nullopt;
    }
    const int seconds = ((zone[1] - '0') * 10 + zone[2] - '0') * hour + ((zone[4] - '0') * 10 + zone[5] - '0') * 60;
    if (seconds > 14 * hour) return std::nullopt;
    return zone[0] == '-' ? -seconds : seconds;
}

std::string format_time(std::string_view layout, sys_time<nanoseconds> when, std::string_view zone, int offset) {
    const moment m = at(when, zone, offset);
    std::string out;
    while (!layout.empty()) {
        if (const std::size_t digits = fraction_digits(layout); digits > 0) {
            out += '.' + fmt::format("{:09}", m.nanoseconds).substr(0, digits);
            layout.remove_prefix(digits + 1);
            continue;
        }
        std::string_view found;
        for (const std::string_view word : words) {
            if (layout.starts_with(word)) {
                found = word;
                break;
            }
        }
        if (found.empty()) {
            out += layout.front();
            layout.remove_prefix(1);
        } else {
            out += word_text(found, m);
            layout.remove_prefix(found.size());
        }
    }
    return out;
}

}  // namespace sluice::mcp::rest
