#include "base/ids.hpp"

#include <algorithm>
#include <cstring>

namespace sluice {

trace_id new_trace_id(random_source& random) {
    trace_id id;
    while (!id.valid()) id = {random.next(), random.next()};
    return id;
}

span_id new_span_id(random_source& random) {
    span_id id;
    while (!id.valid()) id = {random.next()};
    return id;
}

std::string new_request_id(random_source& random) {
    return to_hex(new_trace_id(random));
}

bool acceptable_request_id(std::string_view text) {
    static constexpr std::string_view signs = "._:/@+-";
    const auto good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               signs.find(c) != std::string_view::npos;
    };
    return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), good);
}

void write_hex(std::uint64_t value, char* out) {
    // Four bits become a byte each, for half of the value at a time; then all eight become digits at once.
    for (int half = 0; half < 2; ++half, out += 8) {
        std::uint64_t v = half == 0 ? value >> 32 : value & 0xffffffffU;
        v = (v | v << 16) & 0x0000ffff0000ffffU;
        v = (v | v << 8) & 0x00ff00ff00ff00ffU;
        v = (v | v << 4) & 0x0f0f0f0f0f0f0f0fU;
        const std::uint64_t letters = (v + 0x0606060606060606U) >> 4 & 0x0101010101010101U;
        v += 0x3030303030303030U + letters * ('a' - '0' - 10);
        v = __builtin_bswap64(v);  // most significant first
        std::memcpy(out, &v, 8);
    }
}

void append_hex(std::string& out, trace_id id) {
    char digits[32];
    write_hex(id.high, digits);
    write_hex(id.low, digits + 16);
    out.append(digits, sizeof digits);
}

void append_hex(std::string& out, span_id id) {
    char digits[16];
    write_hex(id.value, digits);
    out.append(digits, sizeof digits);
}

std::string to_hex(trace_id id) {
    char digits[32];
    write_hex(id.high, digits);
    write_hex(id.low, digits + 16);
    return {digits, sizeof digits};
}

std::string to_hex(span_id id) {
    std::string out;
    append_hex(out, id);
    return out;
}

std::string to_hex(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    out.reserve(2 * bytes.size());
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out.push_back(digits[byte >> 4]);
        out.push_back(digits[byte & 15]);
    }
    return out;
}

std::optional<std::uint64_t> parse_lower_hex(std::string_view digits) {
    if (digits.empty() || digits.size() > 16) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : digits) {
        const bool decimal = c >= '0' && c <= '9';
        if (!decimal && !(c >= 'a' && c <= 'f')) return std::nullopt;
        value = (value << 4) | static_cast<std::uint64_t>(decimal ? c - '0' : c - 'a' + 10);
    }
    return value;
}

std::optional<trace_id> parse_trace_id(std::string_view digits) {
    if (digits.size() != 32) return std::nullopt;
    const auto high = parse_lower_hex(digits.substr(0, 16));
    const auto low = parse_lower_hex(digits.substr(16));
    if (!high || !low) return std::nullopt;
    return trace_id{*high, *low};
}

std::optional<span_id> parse_span_id(std::string_view digits) {
    if (digits.size() != 16) return std::nullopt;
    const auto value = parse_lower_hex(digits);
    if (!value) return std::nullopt;
    return span_id{*value};
}

}  // namespace sluice
