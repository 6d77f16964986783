#include "governance/tokens/code_points.hpp"

#include <unicode/uchar.h>

#include <array>

namespace sluice::tokens {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

constexpr char_kind ascii_kind(unsigned char c) {
    if (c >= 'a' && c <= 'z') return char_kind::lower;
    if (c >= 'A' && c <= 'Z') return char_kind::upper;
    if (c >= '0' && c <= '9') return char_kind::number;
    if (c == '\r' || c == '\n') return char_kind::newline;
    if (c == ' ' || (c >= '\t' && c <= '\f')) return char_kind::space;
    return char_kind::other;
}

constexpr auto ascii_kinds = [] {
    std::array<char_kind, 128> kinds{};
    for (unsigned c = 0; c < 128; ++c) kinds[c] = ascii_kind(static_cast<unsigned char>(c));
    return kinds;
}();

char_kind kind_of(char32_t c) {
    const std::uint32_t category = U_MASK(u_charType(static_cast<UChar32>(c)));
    if (category & U_GC_LL_MASK) return char_kind::lower;
    if (category & (U_GC_LU_MASK | U_GC_LT_MASK)) return char_kind::upper;
    if (category & (U_GC_LM_MASK | U_GC_LO_MASK)) return char_kind::uncased;
    if (category & U_GC_M_MASK) return char_kind::mark;
    if (category & U_GC_N_MASK) return char_kind::number;
    return u_isUWhiteSpace(static_cast<UChar32>(c)) ? char_kind::space : char_kind::other;
}

struct decoded {
    char32_t value = 0;
    std::uint8_t bytes = 0;  // 0: no UTF-8 here
};

decoded decode(std::string_view s) {
    const auto byte = [&](std::size_t i) -> char32_t { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0U; };
    const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
    const auto bits = [&](std::size_t i) { return byte(i) & 0x3FU; };
    const char32_t a = byte(0);
    if (a < 0x80) return {a, 1};
    if (a >= 0xC2 && a <= 0xDF && tail(1)) return {(a & 0x1FU) << 6U | bits(1), 2};
    if (a >= 0xE0 && a <= 0xEF && tail(1) && tail(2)) {
        const char32_t c = (a & 0x0FU) << 12U | bits(1) << 6U | bits(2);
        const bool surrogate = c >= 0xD800 && c <= 0xDFFF;
        if (c >= 0x800 && !surrogate) return {c, 3};
    }
    if (a >= 0xF0 && a <= 0xF4 && tail(1) && tail(2) && tail(3)) {
        const char32_t c = (a & 0x07U) << 18U | bits(1) << 12U | bits(2) << 6U | bits(3);
        if (c >= 0x10000 && c <= 0x10FFFF) return {c, 4};
    }
    return {};
}

// Offset of the first byte that is no UTF-8, or the size.
std::size_t first_fault(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const decoded d = decode(text.substr(at));
        if (d.bytes == 0) break;
        at += d.bytes;
    }
    return at;
}

}  // namespace

code_point code_point_at(std::string_view text, std::size_t at) {
    const auto lead = static_cast<unsigned char>(text[at]);
    if (lead < 0x80) return {ascii_kinds[lead], 1};
    const decoded d = decode(text.substr(at));
    if (d.bytes == 0) return {char_kind::other, 1};
    return {kind_of(d.value), d.bytes};
}

std::string repaired(std::string_view text) {
    std::size_t fault = first_fault(text);
    std::string good;
    if (fault == text.size()) return good;
    good.reserve(text.size() + 64);
    while (!text.empty()) {
        good += text.substr(0, fault);
        text.remove_prefix(fault);
        if (text.empty()) break;
        good += replacement;
        text.remove_prefix(1);
        fault = first_fault(text);
    }
    return good;
}

}  // namespace sluice::tokens
