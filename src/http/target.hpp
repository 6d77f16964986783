// Which bytes a request target may have.
#pragma once

#include "base/ascii.hpp"

#include <string_view>

namespace sluice::http {

// Visible ASCII but '#'. More than RFC 3986 allows ('{', '|', '"', ...), since clients send those unescaped;
// what could end a target, split a head or start a fragment is not among them.
inline constexpr ascii::byte_set target_byte{"!\"$%&'()*+,-./:;<=>?@[\\]^_`{|}~"};

// How many bytes at the front of `s` may stand in a target.
inline std::size_t target_bytes(std::string_view s) {
    std::size_t n = 0;
#if defined(__SSE2__)
    using namespace ascii::detail;
    for (; n + 16 <= s.size(); n += 16) {
        const __m128i v = load(s.data() + n);
        const __m128i visible = _mm_cmpgt_epi8(v, all(' '));  // signed: bytes from 0x80 on are below it
        const __m128i not_taken = _mm_or_si128(_mm_cmpeq_epi8(v, all('#')), _mm_cmpeq_epi8(v, all(0x7f)));
        const unsigned others = mask(_mm_andnot_si128(not_taken, visible)) ^ 0xffffU;
        if (others != 0) return n + static_cast<std::size_t>(__builtin_ctz(others));
    }
#endif
    while (n < s.size() && target_byte(s[n])) ++n;
    return n;
}

}  // namespace sluice::http
