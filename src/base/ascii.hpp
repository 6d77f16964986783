// ASCII as HTTP uses it: case, tokens, digits, control bytes.
//
// Inline and table-driven, because the codec asks these questions once per byte of a head. Nothing here
// looks at the locale.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace sluice::ascii {

constexpr char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
// The same for eight bytes at once: the high bit of each byte of `upper` says whether it is a capital letter.
constexpr std::uint64_t lower(std::uint64_t bytes) {
    constexpr std::uint64_t ones = 0x0101010101010101U;
    const std::uint64_t low_bits = bytes & ones * 0x7f;
    const std::uint64_t above_z = low_bits + ones * (0x7f - 'Z');
    const std::uint64_t from_a = low_bits + ones * (0x80 - 'A');
    const std::uint64_t upper = ~bytes & (from_a ^ above_z) & ones * 0x80;
    return bytes | upper >> 2;
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

// Scans below look at sixteen bytes at once where the processor can. Bit i of the masks is byte p[i].
#if defined(__SSE2__)
namespace detail {
inline __m128i load(const char* p) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}
inline unsigned mask(__m128i v) {
    return static_cast<unsigned>(_mm_movemask_epi8(v));
}
inline __m128i all(char c) {
    return _mm_set1_epi8(c);
}
inline unsigned controls(const char* p) {
    const __m128i v = load(p);
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(v, all(0x1f)), v);
    const __m128i tab = _mm_cmpeq_epi8(v, all('\t'));
    return mask(_mm_or_si128(_mm_andnot_si128(tab, low), _mm_cmpeq_epi8(v, all(0x7f))));
}
// Letters, digits and '-': what nearly every field name is made of.
inline unsigned plain_name(const char* p) {
    const __m128i v = load(p);
    const __m128i l = _mm_or_si128(v, all(0x20));
    const __m128i letter = _mm_and_si128(_mm_cmpgt_epi8(l, all('a' - 1)), _mm_cmpgt_epi8(all('z' + 1), l));
    const __m128i digit = _mm_and_si128(_mm_cmpgt_epi8(v, all('0' - 1)), _mm_cmpgt_epi8(all('9' + 1), v));
    return mask(_mm_or_si128(_mm_or_si128(letter, digit), _mm_cmpeq_epi8(v, all('-'))));
}
// Is the mask `bad(sixteen bytes)` empty for all of the text? `bad` must not object to 'a'.
template <class Bad>
inline bool none(std::string_view s, Bad bad) {
    if (s.size() < 16) {
        char block[16];
        std::memset(block, 'a', sizeof block);
        if (!s.empty()) std::memcpy(block, s.data(), s.size());
        return bad(block) == 0;
    }
    const char* const last = s.data() + s.size() - 16;  // overlaps the block before
    for (const char* p = s.data(); p < last; p += 16) {
        if (bad(p) != 0) return false;
    }
    return bad(last) == 0;
}
}  // namespace detail
#endif

// The first control byte (below 0x20 but HTAB, or DEL) in [p, end), else end. Everything before it
// may stand in a field value (RFC 9110 5.5, obs-text included).
inline const char* find_control(const char* p, const char* end) {
#if defined(__SSE2__)
    for (; end - p >= 16; p += 16) {
        if (const unsigned hits = detail::controls(p); hits != 0) return p + __builtin_ctz(hits);
    }
#endif
    for (; p != end; ++p) {
        const auto u = static_cast<unsigned char>(*p);
        if ((u < 0x20 && u != '\t') || u == 0x7f) return p;
    }
    return end;
}

// The first byte in [p, end) that a token may not have, else end.
inline const char* find_token_end(const char* p, const char* end) {
#if defined(__SSE2__)
    for (; end - p >= 16; p += 16) {
        const unsigned others = detail::plain_name(p) ^ 0xffffU;
        if (others == 0) continue;
        p += __builtin_ctz(others);
        if (!token(*p)) return p;
        break;  // one of the rarer token characters: go on by bytes
    }
#endif
    while (p != end && token(*p)) ++p;
    return p;
}

// Writes `n` in decimal digits at `out`, where 20 bytes must have room, and returns what is behind the last one.
inline char* write_number(char* out, std::uint64_t n) {
    constexpr char pairs[] =
        "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
        "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";
    char digits[40];  // the second half is never looked at, only copied along
    char* const end = digits + 20;
    char* p = end;
    for (; n >= 100; n /= 100) std::memcpy(p -= 2, pairs + 2 * (n % 100), 2);
    if (n >= 10) {
        std::memcpy(p -= 2, pairs + 2 * n, 2);
    } else {
        *--p = static_cast<char>('0' + n);
    }
    std::memcpy(out, p, 20);
    return out + (end - p);
}

// Equal without case, where `text` consists of token characters and `lower` is a literal in lower case without
// '_' and the like: there, setting one bit is the whole of lower-casing. Compiles to a few word compares.
template <std::size_t N>
inline bool token_equals(std::string_view text, const char (&lower_case)[N]) {
    constexpr std::size_t size = N - 1;
    if (text.size() != size) return false;
    if constexpr (size >= 8) {
        std::uint64_t difference = 0;
        for (std::size_t i = 0; i < size; i += 8) {
            const std::size_t at = i + 8 <= size ? i : size - 8;  // the last word overlaps the one before
            std::uint64_t a = 0;
            std::uint64_t b = 0;
            std::memcpy(&a, text.data() + at, 8);
            std::memcpy(&b, lower_case + at, 8);
            difference |= (a | 0x2020202020202020U) ^ b;
        }
        return difference == 0;
    } else {
        unsigned difference = 0;
        for (std::size_t i = 0; i < size; ++i) {
            difference |= static_cast<unsigned>((text[i] | 0x20) ^ lower_case[i]);
        }
        return difference == 0;
    }
}

}  // namespace sluice::ascii
