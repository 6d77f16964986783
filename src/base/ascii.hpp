// ASCII as HTTP uses it: case, tokens, digits, control bytes.
//
// Inline and table-driven, because the codec asks these questions once per byte of a head. Nothing here
// looks at the locale.
#pragma once

#include <array>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace sluice::ascii {

constexpr char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
constexpr bool is_alpha(char c) {
    return lower(c) >= 'a' && lower(c) <= 'z';
}
// The value of a hexadecimal digit, -1 for anything else.
constexpr int hex_value(char c) {
    if (is_digit(c)) return c - '0';
    const char l = lower(c);
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}
// SP and HTAB: the white space that may stand around a field value (RFC 9110 5.6.3).
constexpr bool is_blank(char c) {
    return c == ' ' || c == '\t';
}
constexpr std::string_view trim(std::string_view s) {
    while (!s.empty() && is_blank(s.front())) s.remove_prefix(1);
    while (!s.empty() && is_blank(s.back())) s.remove_suffix(1);
    return s;
}

// A set of bytes: one load to ask, as a class so that char never indexes with its sign.
class byte_set {
public:
    constexpr explicit byte_set(std::string_view others) {
        for (unsigned c = '0'; c <= '9'; ++c) in_[c] = true;
        for (unsigned c = 'a'; c <= 'z'; ++c) in_[c] = in_[c - 32] = true;
        for (const char c : others) in_[static_cast<unsigned char>(c)] = true;
    }
    constexpr bool operator()(char c) const { return in_[static_cast<unsigned char>(c)]; }
    // Length of the longest prefix whose bytes are all in the set.
    constexpr std::size_t span(std::string_view s) const {
        std::size_t n = 0;
        while (n < s.size() && (*this)(s[n])) ++n;
        return n;
    }

private:
    std::array<bool, 256> in_{};
};

// Letters, digits and ...
inline constexpr byte_set token{"!#$%&'*+-.^_`|~"};  // RFC 9110 5.6.2: tchar
inline constexpr byte_set unreserved{"-._~"};        // RFC 3986 2.3

// The first control byte (below 0x20 but HTAB, or DEL) in [p, end), else end. Everything before it
// may stand in a field value (RFC 9110 5.5, obs-text included).
inline const char* find_control(const char* p, const char* end) {
#if defined(__SSE2__)
    const __m128i last_control = _mm_set1_epi8(0x1f);
    const __m128i tab = _mm_set1_epi8('\t');
    const __m128i del = _mm_set1_epi8(0x7f);
    for (; end - p >= 16; p += 16) {
        const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(v, last_control), v);
        const __m128i hit = _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(v, tab), low), _mm_cmpeq_epi8(v, del));
        const int mask = _mm_movemask_epi8(hit);
        if (mask != 0) return p + __builtin_ctz(static_cast<unsigned>(mask));
    }
#endif
    for (; p != end; ++p) {
        const auto u = static_cast<unsigned char>(*p);
        if ((u < 0x20 && u != '\t') || u == 0x7f) return p;
    }
    return end;
}

}  // namespace sluice::ascii
