#include "sim/fault.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace sluice::sim {
namespace {

template <class I>
bool read_number(std::string_view text, I& out) {
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
    return ec == std::errc() && end == text.data() + text.size();
}

template <class I>
bool read_number(std::string_view text, std::optional<I>& out) {
    I value{};
    if (!read_number(text, value)) return false;
    out = value;
    return true;
}

bool read_duration(std::string_view text, std::chrono::nanoseconds& out) {
    const auto d = parse_duration(text);
    if (d) out = *d;
    return d.has_value();
}

bool read_flag(std::string_view text, bool& out) {
    out = text.empty() || text == "true" || text == "1";
    return out || text == "false" || text == "0";
}

template <class E, std::size_t N>
bool read_choice(std::string_view text, E& out, const std::array<std::pair<std::string_view, E>, N>& choices) {
    for (const auto& [name, value] : choices) {
        if (name != text) continue;
        out = value;
        return true;
    }
    return false;
}

constexpr std::array<std::pair<std::string_view, die_at>, 4> die_places{
    {{"accept", die_at::accept}, {"request", die_at::request}, {"status", die_at::status}, {"head", die_at::head}}};
constexpr std::array<std::pair<std::string_view, die_how>, 2> die_ways{{{"rst", die_how::rst}, {"fin", die_how::fin}}};
constexpr std::array<std::pair<std::string_view, line_end>, 3> line_ends{
    {{"lf", line_end::lf}, {"cr", line_end::cr}, {"crlf", line_end::crlf}}};

struct option {
    std::string_view name;
    bool (*read)(std::string_view text, fault_plan& plan);
};

using text = std::string_view;
bool read_text(text from, std::string& to) {
    to = from;
    return true;
}

constexpr option options[] = {
    {"delay", [](text t, fault_plan& p) { return read_duration(t, p.delay); }},
    {"first", [](text t, fault_plan& p) { return read_duration(t, p.first); }},
    {"stall-after", [](text t, fault_plan& p) { return read_number(t, p.stall_after); }},
    {"stall", [](text t, fault_plan& p) { return read_duration(t, p.stall); }},
    {"die", [](text t, fault_plan& p) { return read_number(t, p.die); }},
    {"die-event", [](text t, fault_plan& p) { return read_number(t, p.die_event); }},
    {"die-at", [](text t, fault_plan& p) { return read_choice(t, p.at, die_places); }},
    {"how", [](text t, fault_plan& p) { return read_choice(t, p.how, die_ways); }},
    {"status", [](text t, fault_plan& p) { return read_number(t, p.status) && p.status > 99 && p.status < 1000; }},
    {"body", [](text t, fault_plan& p) { return read_text(t, p.body); }},
    {"retry-after", [](text t, fault_plan& p) { return read_text(t, p.retry_after); }},
    {"header", [](text t, fault_plan& p) { return read_text(t, p.header); }},
    {"content-type", [](text t, fault_plan& p) { return read_text(t, p.content_type); }},
    {"text", [](text t, fault_plan& p) { return read_text(t, p.text); }},
    {"garbage", [](text t, fault_plan& p) { return read_flag(t, p.garbage); }},
    {"cl-te", [](text t, fault_plan& p) { return read_flag(t, p.cl_te); }},
    {"te-gzip", [](text t, fault_plan& p) { return read_flag(t, p.te_gzip); }},
    {"no-reason", [](text t, fault_plan& p) { return read_flag(t, p.no_reason); }},
    {"no-length", [](text t, fault_plan& p) { return read_flag(t, p.no_length); }},
    {"no-final-chunk", [](text t, fault_plan& p) { return read_flag(t, p.no_final_chunk); }},
    {"interim", [](text t, fault_plan& p) { return read_number(t, p.interim) && p.interim <= 1000; }},
    {"drop-keep-alive", [](text t, fault_plan& p) { return read_flag(t, p.drop_keep_alive); }},
    {"idle-close",
     [](text t, fault_plan& p) {
         p.idle_close = parse_duration(t);
         return p.idle_close.has_value();
     }},
    {"rate", [](text t, fault_plan& p) { return read_number(t, p.rate); }},
    {"cut", [](text t, fault_plan& p) { return read_number(t, p.cut); }},
    {"chunk", [](text t, fault_plan& p) { return read_number(t, p.chunk); }},
    {"malformed", [](text t, fault_plan& p) { return read_number(t, p.malformed); }},
    {"huge", [](text t, fault_plan& p) { return read_number(t, p.huge) && p.huge <= (std::size_t{1} << 30); }},
    {"no-usage", [](text t, fault_plan& p) { return read_flag(t, p.no_usage); }},
    {"no-done", [](text t, fault_plan& p) { return read_flag(t, p.no_done); }},
    {"sse-extra", [](text t, fault_plan& p) { return read_flag(t, p.sse_extra); }},
    {"no-last-blank", [](text t, fault_plan& p) { return read_flag(t, p.no_last_blank); }},
    {"line-end", [](text t, fault_plan& p) { return read_choice(t, p.ends, line_ends); }},
};

// Rule words are taken out of a script by whoever allows them; nullptr: not allowed here.
std::string set(std::string_view name, std::string_view value, fault_plan& plan, fault_rule* rule) {
    if (rule != nullptr) {
        if (name == "next" && read_number(value, rule->next)) return {};
        if (name == "every" && read_number(value, rule->every) && rule->every > 0) return {};
        if (name == "path") {
            rule->path = value;
            return {};
        }
    }
    for (const option& o : options) {
        if (o.name != name) continue;
        if (o.read(value, plan)) return {};
        return "bad value of " + std::string(name) + ": " + std::string(value);
    }
    return "no such fault: " + std::string(name);
}

std::string read_json(std::string_view script, fault_plan& plan, fault_rule* rule) {
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    if (parser.parse(simdjson::padded_string(script)).get(object) != simdjson::SUCCESS) return "not a JSON object";
    for (const auto [key, value] : object) {
        std::string_view as_text;
        std::string error;
        if (value.get(as_text) == simdjson::SUCCESS) {
            error = set(key, as_text, plan, rule);
        } else {
            error = set(key, simdjson::minify(value), plan, rule);  // numbers, true, false
        }
        if (!error.empty()) return error;
    }
    return {};
}

std::string_view trim(std::string_view s) {
    while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
    while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
    return s;
}

std::string read_compact(std::string_view script, fault_plan& plan, fault_rule* rule) {
    while (!script.empty()) {
        const auto semicolon = script.find(';');
        const auto part = trim(script.substr(0, semicolon));
        script = semicolon == std::string_view::npos ? std::string_view() : script.substr(semicolon + 1);
        if (part.empty()) continue;
        const auto equals = part.find('=');
        const auto value = equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1);
        if (auto error = set(trim(part.substr(0, equals)), trim(value), plan, rule); !error.empty()) return error;
    }
    return {};
}

std::string read_script(std::string_view script, fault_plan& plan, fault_rule* rule) {
    script = trim(script);
    return script.starts_with('{') ? read_json(script, plan, rule) : read_compact(script, plan, rule);
}

}  // namespace

bool fault_plan::harmless() const {
    static const fault_plan none;
    return delay == none.delay && first == none.first && !stall_after && !die && !die_event && at == die_at::nowhere &&
           header.empty() && content_type.empty() && !garbage && !cl_te && !te_gzip && !no_reason && !no_length &&
           !no_final_chunk && interim == 0 && !drop_keep_alive && rate == 0 && cut == 0 && chunk == 0 && !malformed &&
           huge == 0 && !no_done && !sse_extra && !no_last_blank && ends == line_end::lf;
}

std::variant<fault_plan, std::string> parse_fault(std::string_view script) {
    fault_plan plan;
    if (auto error = read_script(script, plan, nullptr); !error.empty()) return error;
    return plan;
}

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
    double number = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (ec != std::errc() || !(number >= 0) || number > 1e9) return std::nullopt;
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    double scale = 0;
    if (unit == "us") scale = 1e3;
    if (unit == "ms" || unit.empty()) scale = 1e6;
    if (unit == "s") scale = 1e9;
    if (unit == "m") scale = 6e10;
    if (scale == 0 || number * scale > 1e18) return std::nullopt;
    return std::chrono::nanoseconds(std::llround(number * scale));
}

std::vector<std::string_view> fault_names() {
    std::vector<std::string_view> names;
    for (const option& o : options) names.push_back(o.name);
    return names;
}

std::optional<std::string> fault_book::add(std::string_view script) {
    fault_rule rule;
    if (auto error = read_script(script, rule.plan, &rule); !error.empty()) return error;
    rules_.push_back(std::move(rule));
    return std::nullopt;
}

std::optional<fault_plan> fault_book::take(std::string_view target) {
    for (auto rule = rules_.begin(); rule != rules_.end(); ++rule) {
        if (!target.starts_with(rule->path) || rule->plan.at == die_at::accept) continue;
        if (++rule->seen % rule->every != 0) continue;
        fault_plan plan = rule->plan;
        if (rule->next > 0 && --rule->next == 0) rules_.erase(rule);
        return plan;
    }
    return std::nullopt;
}

bool fault_book::dies_at_accept() {
    for (auto rule = rules_.begin(); rule != rules_.end(); ++rule) {
        if (rule->plan.at != die_at::accept || ++rule->seen % rule->every != 0) continue;
        if (rule->next > 0 && --rule->next == 0) rules_.erase(rule);
        return true;
    }
    return false;
}

}  // namespace sluice::sim
