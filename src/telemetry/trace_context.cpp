#include "telemetry/trace_context.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace sluice::telemetry {
namespace {

constexpr std::size_t version_00_bytes = 55;  // 00-<32>-<16>-<2>
constexpr std::size_t members_max = 32;
constexpr std::size_t state_bytes_max = 512;
constexpr std::size_t large_member_bytes = 128;
constexpr std::size_t raw_state_bytes_max = 17 * 1024;  // 32 members of 513 characters and their commas

std::string_view trimmed(std::string_view text) {
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && blank(text.back())) text.remove_suffix(1);
    return text;
}

bool key_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// Section 3.3.1.3 of the specification.
bool good_member(std::string_view member) {
    const auto equals = member.find('=');
    if (equals == std::string_view::npos) return false;
    const std::string_view key = member.substr(0, equals);
    const std::string_view value = member.substr(equals + 1);
    if (key.empty() || key.size() > 256 || value.empty() || value.size() > 256) return false;
    const auto key_char = [](char c) {
        return key_start(c) || std::string_view{"_-*/@"}.find(c) != std::string_view::npos;
    };
    const auto value_char = [](char c) { return c >= 0x20 && c <= 0x7e && c != ',' && c != '='; };
    return key_start(key.front()) && std::all_of(key.begin(), key.end(), key_char) &&
           std::all_of(value.begin(), value.end(), value_char);
}

std::string_view key_of(std::string_view member) {
    return member.substr(0, member.find('='));
}

bool key_twice(const std::vector<std::string_view>& members) {
    std::vector<std::string_view> keys;
    for (const auto member : members) keys.push_back(key_of(member));
    std::sort(keys.begin(), keys.end());
    return std::adjacent_find(keys.begin(), keys.end()) != keys.end();
}

std::size_t joined_bytes(const std::vector<std::string_view>& members) {
    std::size_t n = members.empty() ? 0 : members.size() - 1;
    for (const auto member : members) n += member.size();
    return n;
}

// "Entries larger than 128 characters long SHOULD be removed first. Then entries SHOULD be removed starting from the
// end."
void truncate(std::vector<std::string_view>& members) {
    while (joined_bytes(members) > state_bytes_max) {
        const auto large = std::find_if(members.rbegin(), members.rend(),
                                        [](std::string_view m) { return m.size() > large_member_bytes; });
        members.erase(large == members.rend() ? members.end() - 1 : large.base() - 1);
    }
}

}  // namespace

std::optional<traceparent> parse_traceparent(std::string_view value) {
    const std::string_view t = trimmed(value);
    if (t.size() < version_00_bytes || t[2] != '-' || t[35] != '-' || t[52] != '-') return std::nullopt;
    const auto version = parse_lower_hex(t.substr(0, 2));
    const auto trace = parse_trace_id(t.substr(3, 32));
    const auto parent = parse_span_id(t.substr(36, 16));
    const auto flags = parse_lower_hex(t.substr(53, 2));
    if (!version || *version == 0xff || !trace || !trace->valid() || !parent || !parent->valid() || !flags) {
        return std::nullopt;
    }
    const bool more = t.size() > version_00_bytes;
    if (more && (*version == 0 || t[version_00_bytes] != '-')) return std::nullopt;
    return traceparent{*trace, *parent, (*flags & 1) != 0};
}

std::string to_traceparent(trace_id trace, span_id span, bool sampled) {
    std::string out;
    out.reserve(version_00_bytes);
    out += "00-";
    append_hex(out, trace);
    out += '-';
    append_hex(out, span);
    out += sampled ? "-01" : "-00";
    return out;
}

std::optional<std::string> normalized_tracestate(std::string_view combined) {
    if (combined.size() > raw_state_bytes_max) return std::nullopt;
    std::vector<std::string_view> members;
    while (!combined.empty()) {
        const auto comma = std::min(combined.find(','), combined.size());
        const std::string_view member = trimmed(combined.substr(0, comma));
        combined.remove_prefix(std::min(comma + 1, combined.size()));
        if (member.empty()) continue;
        if (members.size() == members_max || !good_member(member)) return std::nullopt;
        members.push_back(member);
    }
    if (key_twice(members)) return std::nullopt;
    truncate(members);
    std::string out;
    for (const auto member : members) {
        if (!out.empty()) out += ',';
        out += member;
    }
    return out;
}

bool sampled_by_ratio(trace_id trace, double ratio) {
    if (ratio >= 1) return true;
    if (!(ratio > 0)) return false;
    return (trace.low >> 1) < static_cast<std::uint64_t>(ratio * 0x1.0p63);
}

trace_context continue_or_start(const header_list& headers, const sampling& s, random_source& random) {
    trace_context c;
    c.span = new_span_id(random);
    const auto field = headers.find("traceparent");
    const auto caller = field && headers.count("traceparent") == 1 ? parse_traceparent(*field) : std::nullopt;
    if (!caller) {
        c.trace = new_trace_id(random);
        c.sampled = sampled_by_ratio(c.trace, s.ratio);
        return c;
    }
    c.trace = caller->trace;
    c.parent = caller->parent;
    c.sampled = s.follow_parent ? caller->sampled : sampled_by_ratio(c.trace, s.ratio);
    std::string combined;
    for (const auto f : headers) {
        if (!iequals(f.name, "tracestate")) continue;
        if (!combined.empty()) combined += ',';
        combined += f.value;
    }
    c.state = normalized_tracestate(combined).value_or(std::string{});
    return c;
}

void inject(const trace_context& context, span_id attempt, header_list& headers) {
    headers.set("traceparent", to_traceparent(context.trace, attempt, context.sampled));
    headers.remove("tracestate");
    if (!context.state.empty()) headers.add("tracestate", context.state);
}

}  // namespace sluice::telemetry
