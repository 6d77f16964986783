#include "stages/quota/quota_config.hpp"

#include "governance/limiter.hpp"

#include <sluice/message.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace sluice::quota {
namespace {

constexpr std::string_view header_prefix = "header:";
constexpr std::array<std::pair<std::string_view, per>, 5> names = {
    {{"key", per::key}, {"tenant", per::tenant}, {"model", per::model}, {"ip", per::ip}, {"route", per::route}}};

std::optional<per> named(std::string_view subject) {
    if (subject.starts_with(header_prefix)) {
        return valid_header_name(header_of(subject)) ? std::optional(per::header) : std::nullopt;
    }
    for (const auto& [name, value] : names) {
        if (name == subject) return value;
    }
    return std::nullopt;
}

std::size_t windows_of(const rule_config& c) {
    const auto limits = {c.requests_per_second, c.requests_per_minute, c.requests_per_hour, c.requests_per_day,
                         c.tokens_per_second,   c.tokens_per_minute,   c.tokens_per_hour,   c.tokens_per_day};
    return static_cast<std::size_t>(std::count_if(limits.begin(), limits.end(), [](auto n) { return n > 0; }));
}

}  // namespace

bool rule_config::limits_anything() const {
    return concurrency > 0 || windows_of(*this) > 0;
}

void read(config_reader& r, rule_config& c) {
    const constraint amount{.min = 0, .max = static_cast<double>(rate::limit_max)};
    r.field("name", c.name, "Rules of one name share their counters; the name is also the metric label.");
    r.field("per", c.subject, "What the limits are per: key, tenant, model, ip, route or header:<name>.");
    r.field("requests_per_second", c.requests_per_second, "Requests per second; 0: no limit.", amount);
    r.field("requests_per_minute", c.requests_per_minute, "Requests per minute; 0: no limit.", amount);
    r.field("requests_per_hour", c.requests_per_hour, "Requests per hour; 0: no limit.", amount);
    r.field("requests_per_day", c.requests_per_day, "Requests per day; 0: no limit.", amount);
    r.field("tokens_per_second", c.tokens_per_second, "Tokens in and out per second; 0: no limit.", amount);
    r.field("tokens_per_minute", c.tokens_per_minute, "Tokens in and out per minute; 0: no limit.", amount);
    r.field("tokens_per_hour", c.tokens_per_hour, "Tokens in and out per hour; 0: no limit.", amount);
    r.field("tokens_per_day", c.tokens_per_day, "Tokens in and out per day; 0: no limit.", amount);
    r.field("burst", c.burst, "Requests that may come at once, of the shortest window; 0: the whole window's.", amount);
    r.field("concurrency", c.concurrency, "Requests in progress at the same time; 0: no limit.",
            {.min = 0, .max = 1'000'000});
    r.field("subjects", c.subjects, "Subjects remembered at the same time.", {.min = 1, .max = 10'000'000});
    if (!named(c.subject)) {
        r.problem("per", "expected key, tenant, model, ip, route or header:<name>, got \"" + c.subject + "\"");
    }
}

void read(config_reader& r, quota_config& c) {
    read(r, c.rule);
    r.list("rules", c.rules, "More rules; a request must pass all of them.", {.min = {}, .max = rules_max - 1});
    r.one_of("on_full", c.on_full, {{"allow", when_full::allow}, {"refuse", when_full::refuse}},
             "What to do with a subject for whom there is no room.");
    r.field("headers", c.headers, "Sets x-ratelimit-* headers on replies.");
    r.field("reserve_tokens", c.reserve_tokens, "Tokens reserved per request; 0: estimated from the request.",
            {.min = 0, .max = static_cast<double>(rate::limit_max)});
    r.field("default_output_tokens", c.default_output_tokens, "Output tokens reserved when the client sets no bound.",
            {.min = 0, .max = 10'000'000});
    std::size_t windows = windows_of(c.rule);
    bool any = c.rule.limits_anything();
    for (const rule_config& rule : c.rules) {
        windows += windows_of(rule);
        any = any || rule.limits_anything();
        if (!rule.limits_anything()) r.problem("rules", "a rule without any limit");
    }
    if (!any) r.problem("", "limits nothing", "add requests_per_minute, tokens_per_minute or concurrency");
    if (windows > windows_max) r.problem("rules", "more than 16 limits in one stage", "use two quota stages");
}

per per_of(std::string_view subject) {
    return named(subject).value_or(per::key);
}

std::string_view header_of(std::string_view subject) {
    return subject.substr(std::min(subject.size(), header_prefix.size()));
}

}  // namespace sluice::quota
