#include "routing/arms/life.hpp"

#include "base/glob.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace sluice::routing {
namespace {

void read_day(config_reader& r, std::string_view key, std::optional<std::chrono::sys_days>& day, std::string_view doc) {
    std::string text;
    r.field(key, text, doc);
    if (text.empty()) return;
    day = parse_day(text);
    if (!day) r.problem(key, "is no day of the calendar", "write it as in 2027-01-31");
}

// What each state can make use of, so that a key without effect is not taken for one with.
void check(config_reader& r, const life_config& c) {
    const bool draft = c.state == model_state::draft, draining = c.state == model_state::draining;
    if (r.has("preview") && !draft && !c.preview.empty())
        r.problem("preview", "is for drafts only", "write state: draft");
    if (!c.successor.empty() && !draining && c.state != model_state::retired)
        r.problem("successor", "is for models that are draining or retired", "write state: draining");
    if (draining && c.successor.empty())
        r.problem("state", "a draining model needs a successor for everybody who is new",
                  "write successor: and the name of a model");
    if (draft && c.deprecated) r.problem("deprecated", "a draft has not been in use");
    if (draft && c.sunset) r.problem("sunset", "a draft has not been in use");
    if (c.deprecated && c.sunset && *c.sunset < *c.deprecated)
        r.problem("sunset", "lies before the day from which the model is deprecated");
}

}  // namespace

void read(config_reader& r, life_config& c) {
    r.one_of<model_state>("state", c.state,
                          {{"draft", model_state::draft},
                           {"active", model_state::active},
                           {"draining", model_state::draining},
                           {"retired", model_state::retired}},
                          "Who is served: those of `preview`, everybody, who had it before, nobody.");
    r.field("preview", c.preview, "Patterns of key ids and tenants that may use a draft.");
    r.field("successor", c.successor, "Model that serves instead of one that is draining or retired.");
    read_day(r, "deprecated", c.deprecated,
             "Day from which the model is deprecated, for the header Deprecation: 2026-12-01.");
    read_day(r, "sunset", c.sunset, "Day from which it will not be served, for the header Sunset: 2027-01-31.");
    check(r, c);
}

std::optional<std::chrono::sys_days> parse_day(std::string_view text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
    const auto number = [&](std::size_t at, std::size_t n) {
        int value = -1;
        const char* const end = text.data() + at + n;
        const auto [stop, ec] = std::from_chars(text.data() + at, end, value);
        return ec == std::errc{} && stop == end ? value : -1;
    };
    const int year = number(0, 4), month = number(5, 2), day = number(8, 2);
    if (year < 1970 || month < 1 || day < 1) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days(date);
}

std::string day_text(std::chrono::sys_days day) {
    const std::chrono::year_month_day date{day};
    return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()));
}

bool may_see(const life_config& life, const identity& caller) {
    if (life.state != model_state::draft) return true;
    return std::any_of(life.preview.begin(), life.preview.end(), [&](const std::string& glob) {
        // Who has no name is named by no pattern, not even by `*`.
        return (!caller.key_id.empty() && glob_match(glob, caller.key_id)) ||
               (!caller.tenant.empty() && glob_match(glob, caller.tenant));
    });
}

std::string_view name_of(model_state s) {
    switch (s) {
        case model_state::draft:
            return "draft";
        case model_state::active:
            return "active";
        case model_state::draining:
            return "draining";
        case model_state::retired:
            break;
    }
    return "retired";
}

std::string deprecation_value(std::chrono::sys_days since) {
    return fmt::format("@{}", std::chrono::seconds(since.time_since_epoch()).count());
}

std::string sunset_value(std::chrono::sys_days from) {
    static constexpr std::array<std::string_view, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::chrono::year_month_day date{from};
    return fmt::format("{}, {:02} {} {:04} 00:00:00 GMT", days[std::chrono::weekday(from).c_encoding()],
                       static_cast<unsigned>(date.day()), months[static_cast<unsigned>(date.month()) - 1],
                       static_cast<int>(date.year()));
}

}  // namespace sluice::routing
