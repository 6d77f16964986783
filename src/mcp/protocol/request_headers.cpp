#include "mcp/protocol/request_headers.hpp"

#include "base/base64.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace sluice::mcp {
namespace {

constexpr std::string_view sentinel = "=?base64?", sentinel_end = "?=";

rpc_error mismatch(std::string_view header, std::string_view what) {
    return {rpc_code::header_mismatch, std::string("Header mismatch: ").append(header).append(" ").append(what)};
}

bool visible(char c) {
    return c >= 0x21 && c <= 0x7e;
}

bool plain(std::string_view value) {
    return std::all_of(value.begin(), value.end(), [](char c) { return visible(c) || c == ' ' || c == '\t'; });
}

bool encoded(std::string_view value) {
    return value.size() >= sentinel.size() + sentinel_end.size() && value.starts_with(sentinel) &&
           value.ends_with(sentinel_end);
}

std::optional<std::string> text_member(std::string_view object, std::string_view name) {
    const auto fields = members_of(object);
    const auto value = fields ? fields->find(name) : std::nullopt;
    return value ? value->string() : std::nullopt;
}

// The member of the params that Mcp-Name mirrors; empty: none is mirrored.
std::string_view named_by(std::string_view method) {
    if (method == "tools/call" || method == "prompts/get") return "name";
    if (method == "resources/read") return "uri";
    return {};
}

std::optional<rpc_error> same(const header_list& headers, std::string_view header, std::string_view body_value) {
    const auto value = headers.find(header);
    if (!value) return mismatch(header, "is missing.");
    if (headers.count(header) > 1) return mismatch(header, "is there more than once.");
    const auto decoded = decode_header_value(*value);
    if (!decoded) return mismatch(header, "is not encoded as it should be.");
    if (*decoded != body_value) return mismatch(header, "differs from the body.");
    return std::nullopt;
}

// Numbers compare by value: 42.0 is 42.
bool same_number(std::string_view a, std::string_view b) {
    const auto number = [](std::string_view text) -> std::optional<double> {
        double n = 0;
        const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n);
        if (failed != std::errc() || end != text.data() + text.size() || !std::isfinite(n)) return std::nullopt;
        return n;
    };
    const auto x = number(a), y = number(b);
    return x && y && *x == *y;
}

std::optional<json_value> at_path(std::string_view arguments, const std::vector<std::string>& path) {
    json_value at{json_type::object, arguments};
    for (const std::string& key : path) {
        if (at.type != json_type::object || at.raw.empty()) return std::nullopt;
        const auto fields = json_object::inside(at);
        const auto next = fields ? fields->find(key) : std::nullopt;
        if (!next) return std::nullopt;
        at = *next;
    }
    return at;
}

}  // namespace

std::optional<std::string> decode_header_value(std::string_view value) {
    if (!encoded(value)) return plain(value) ? std::optional(std::string(value)) : std::nullopt;
    value.remove_prefix(sentinel.size());
    value.remove_suffix(sentinel_end.size());
    return base64_decode(value);
}

std::string encode_header_value(std::string_view value) {
    const bool padded = !value.empty() && (!visible(value.front()) || !visible(value.back()));
    if (plain(value) && !padded && !encoded(value)) return std::string(value);
    return std::string(sentinel).append(base64_encode(value)).append(sentinel_end);
}

std::optional<rpc_error> check_headers(const header_list& headers, const rpc_message& request,
                                       std::string_view protocol_version) {
    if (auto e = same(headers, "MCP-Protocol-Version", protocol_version)) return e;
    if (auto e = same(headers, "Mcp-Method", request.method)) return e;
    const std::string_view member = named_by(request.method);
    if (member.empty()) return std::nullopt;
    const auto name = text_member(request.params, member);
    if (!name) return std::nullopt;  // what lacks in the body is told by who reads it
    return same(headers, "Mcp-Name", *name);
}

std::optional<rpc_error> check_mirrored(const header_list& headers, std::span<const mirrored_argument> mirrored,
                                        std::string_view arguments) {
    for (const mirrored_argument& m : mirrored) {
        const std::string header = "Mcp-Param-" + m.header;
        const auto value = at_path(arguments, m.path);
        const auto sent = headers.find(header);
        const bool there = value && value->type != json_type::null;
        if (!there) {
            if (sent) return mismatch(header, "is there, but the body has no such argument.");
            continue;
        }
        if (value->type == json_type::number && sent && headers.count(header) == 1) {
            if (!same_number(*sent, value->raw)) return mismatch(header, "differs from the body.");
            continue;
        }
        const auto text = value->type == json_type::string ? value->string() : std::string(value->raw);
        if (auto e = same(headers, header, text ? *text : "")) return e;
    }
    return std::nullopt;
}

}  // namespace sluice::mcp
