#include "routing/admission/request_class.hpp"

#include "base/ascii.hpp"
#include "base/glob.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>

namespace sluice::admission {
namespace {

struct names {
    std::string_view current, older;
};
constexpr names ttft{"x-llm-d-slo-ttft-ms", "x-slo-ttft-ms"};
constexpr names tpot{"x-llm-d-slo-tpot-ms", "x-slo-tpot-ms"};
constexpr names fairness{"x-llm-d-inference-fairness-id", "x-gateway-inference-fairness-id"};
constexpr names objective{"x-llm-d-inference-objective", "x-gateway-inference-objective"};

constexpr std::array all_names{ttft, tpot, fairness, objective};

bool any_of_names(std::span<const names> all, std::string_view name) {
    return std::any_of(all.begin(), all.end(),
                       [&](const names& n) { return iequals(n.current, name) || iequals(n.older, name); });
}

constexpr double slo_max_ms = 3'600'000;
constexpr std::size_t number_max = 16, name_max = 128;  // bytes

struct found {
    std::string_view name;
    std::optional<std::string_view> value;
};

result<found> find(const header_list& headers, const names& n) {
    for (const std::string_view name : {n.current, n.older}) {
        const std::size_t count = headers.count(name);
        if (count > 1) return error{error_kind::bad_request, "this header is there twice", std::string(name)};
        if (count == 1) return found{name, headers.find(name)};
    }
    return found{};
}

// Digits, perhaps a point and more digits: no sign, no exponent, no infinity.
std::optional<double> plain_number(std::string_view text) {
    const std::size_t point = text.find('.');
    const std::string_view whole = text.substr(0, point);
    const auto digits = [](std::string_view s) {
        return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return ascii::is_digit(c); });
    };
    if (text.size() > number_max || !digits(whole)) return std::nullopt;
    if (point != std::string_view::npos && !digits(text.substr(point + 1))) return std::nullopt;
    double v = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), v, std::chars_format::fixed);
    if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return v;
}

// Seconds; `otherwise` without the header.
result<double> promised(const header_list& headers, const names& n, std::chrono::milliseconds otherwise) {
    const auto h = find(headers, n);
    if (!h) return h.error();
    if (!h->value) return std::chrono::duration<double>(otherwise).count();
    const auto ms = plain_number(*h->value);
    if (!ms || *ms <= 0 || *ms > slo_max_ms)
        return error{error_kind::bad_request, "milliseconds, above 0 and up to an hour, are expected",
                     std::string(h->name)};
    return *ms / 1'000;
}

// A name that a trusted client set; empty without one.
result<std::string_view> named(const header_list& headers, const names& n) {
    const auto h = find(headers, n);
    if (!h) return h.error();
    if (!h->value) return std::string_view{};
    if (h->value->size() > name_max)
        return error{error_kind::bad_request, "a name of at most 128 bytes is expected", std::string(h->name)};
    return *h->value;
}

bool any_matches(const std::vector<std::string>& globs, std::string_view text) {
    return globs.empty() ||
           std::any_of(globs.begin(), globs.end(), [&](const std::string& g) { return glob_match(g, text); });
}

const class_rule_config& rule_of(const admission_config& c, const identity& caller, std::string_view goal) {
    for (const class_rule_config& rule : c.classes) {
        if (!rule.objective.empty() && rule.objective != goal) continue;
        if (any_matches(rule.keys, caller.key_id) && any_matches(rule.tenants, caller.tenant)) return rule;
    }
    return c.otherwise;
}

}  // namespace

result<request_class> classify(const header_list& headers, const identity& caller, const admission_config& c) {
    std::string_view share, goal;
    if (c.trust_headers) {
        const auto f = named(headers, fairness);
        if (!f) return f.error();
        const auto o = named(headers, objective);
        if (!o) return o.error();
        share = *f;
        goal = *o;
    }
    const class_rule_config& rule = rule_of(c, caller, goal);
    const auto ttft_s = promised(headers, ttft, rule.ttft_slo);
    if (!ttft_s) return ttft_s.error();
    const auto tpot_s = promised(headers, tpot, rule.tpot_slo);
    if (!tpot_s) return tpot_s.error();

    request_class out;
    out.priority = rule.priority;
    out.sheddable = rule.sheddable;
    out.ttft_slo_s = *ttft_s;
    out.tpot_slo_s = *tpot_s;
    // A key without a tenant has a share of its own.
    out.tenant = !share.empty() ? share : !caller.tenant.empty() ? caller.tenant : caller.key_id;
    return out;
}

void promise(const request_class& c, picker::request_features& f) {
    f.ttft_slo_s = c.ttft_slo_s;
    f.tpot_slo_s = c.tpot_slo_s;
    f.sheddable = c.sheddable;
}

std::int64_t fair_tokens(double uncached_tokens, double output_tokens) {
    constexpr double most = 1e9;
    const double tokens = std::max(0.0, uncached_tokens) + 2 * std::max(0.0, output_tokens);
    return static_cast<std::int64_t>(std::clamp(tokens, 1.0, most));
}

header_list take_class_headers(header_list& headers) {
    header_list taken;
    const auto wanted = [](const header_list::field& f) {
        // Nearly all headers are none of them, and seen to be by their first letters.
        return f.name.size() > 2 && (f.name[0] | 0x20) == 'x' && f.name[1] == '-' && any_of_names(all_names, f.name);
    };
    headers.remove_if([&](const header_list::field& f) {
        if (!wanted(f)) return false;
        taken.add(f.name, f.value);
        return true;
    });
    return taken;
}

header_list class_headers_for_picker(const header_list& taken, bool trusted) {
    header_list out;
    out.add_from(taken, [&](const header_list::field& f) {
        return trusted || any_of_names(std::span(all_names).first<2>(), f.name);
    });
    return out;
}

}  // namespace sluice::admission
