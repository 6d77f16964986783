#include "governance/tokens/code_points.hpp"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
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

char_kind kind_of(UChar32 c) {
    const std::uint32_t category = U_MASK(u_charType(c));
    if (category & U_GC_LL_MASK) return char_kind::lower;
    if (category & (U_GC_LU_MASK | U_GC_LT_MASK)) return char_kind::upper;
    if (category & (U_GC_LM_MASK | U_GC_LO_MASK)) return char_kind::uncased;
    if (category & U_GC_M_MASK) return char_kind::mark;
    if (category & U_GC_N_MASK) return char_kind::number;
    return u_isUWhiteSpace(c) ? char_kind::space : char_kind::other;
}

struct decoded {
    UChar32 value = 0;
    std::uint8_t bytes = 0;  // 0: no UTF-8 here
};

// ICU's reading of ill-formed bytes may take several at once; only that there are some is told here.
decoded decode(std::string_view s) {
    const auto length = static_cast<std::int32_t>(std::min<std::size_t>(s.size(), U8_MAX_LENGTH));
    std::int32_t at = 0;
    UChar32 c = 0;
    U8_NEXT(s.data(), at, length, c);
    if (c < 0) return {};
    return {c, static_cast<std::uint8_t>(at)};
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
