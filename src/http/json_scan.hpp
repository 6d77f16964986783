// Finding the bytes that matter inside JSON strings, 16 or 32 at a time.
//
// Most of a chat body is the inside of long strings. These functions decide how fast it is validated; they
// know nothing of JSON's grammar. SSE2 is part of x86-64; AVX2 is taken when the processor has it.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace sluice::http {

struct json_run {
    const char* stop;  // the first '"', '\\' or byte < 0x20; `end` when there is none
    bool ascii;        // no byte of [begin, stop) has its high bit set
};

// Reads [begin, end) only.
json_run skip_string_bytes(const char* begin, const char* end);

struct json_text_run {
    const char* stop;  // the closing quote, a byte < 0x20, a backslash that begins no escape of two bytes, or `end`
    bool ascii;        // no byte of [begin, stop) has its high bit set
    bool escaped;      // [begin, stop) holds escapes
};

// Reads on from inside a string, past \n, \" and the other escapes of two bytes: in code and in prose they follow
// each other so closely that stopping at each would cost more than all the rest.
json_text_run skip_string_text(const char* begin, const char* end);

// The closing quote, if the string ends within 16 bytes, is ASCII and has no escapes: most keys and many values. Else
// null: ask skip_string_text().
inline const char* short_string_end(const char* begin, const char* end) {
#if defined(__SSE2__)
    if (end - begin < 16) return nullptr;
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(begin));
    const auto quotes = static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('"'))));
    // Signed: bytes with the high bit are less than 0x20 as well.
    const __m128i odd = _mm_or_si128(_mm_cmplt_epi8(v, _mm_set1_epi8(0x20)), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
    const auto others = static_cast<std::uint32_t>(_mm_movemask_epi8(odd));
    const std::uint32_t before = quotes ^ (quotes - 1);  // up to the first quote; all when there is none
    if (quotes != 0 && (others & before) == 0) return begin + std::countr_zero(quotes);
#endif
    return nullptr;
}

// How many bytes of `text` are well-formed UTF-8 from its start (RFC 3629: no surrogates, no overlong
// forms). Exact but slow: for the place in an error message and for repairs.
std::size_t valid_utf8_prefix(std::string_view text);

}  // namespace sluice::http
