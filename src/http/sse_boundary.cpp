#include "http/sse_boundary.hpp"

#include <bit>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace sluice::http {

const char* find_line_end(const char* p, const char* end) {
#if defined(__SSE2__)
    for (; end - p >= 16; p += 16) {
        const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        const __m128i hit =
            _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\n')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\r')));
        const auto mask = static_cast<unsigned>(_mm_movemask_epi8(hit));
        if (mask != 0) return p + std::countr_zero(mask);
    }
#endif
    while (p != end && *p != '\n' && *p != '\r') ++p;
    return p;
}

std::size_t sse_boundary::feed(std::string_view piece) {
    std::size_t events = 0;
    while (!piece.empty()) {
        const std::size_t taken = take_block(piece);
        if (taken == npos) break;
        events += fields_ ? 1 : 0;
        piece.remove_prefix(taken);
    }
    return events;
}

void sse_boundary::begin_line(char first) {
    place_ = place::line;
    if (first != ':') fields_ = true;
}

std::size_t sse_boundary::take_block(std::string_view bytes) {
    const char* p = bytes.data();
    const char* const end = p + bytes.size();
    if (at_boundary_) fields_ = false;
    const auto ended = [&](place next) {
        place_ = next;
        at_boundary_ = true;
        return static_cast<std::size_t>(p - bytes.data());
    };
    while (p != end) {
        const char c = *p;
        switch (place_) {
            case place::blank_cr:
                if (c == '\n') ++p;
                return ended(place::line_start);
            case place::line_start:
                at_boundary_ = false;
                ++p;
                if (c == '\n') return ended(place::line_start);
                if (c == '\r') {
                    place_ = place::blank_cr;
                } else {
                    begin_line(c);
                }
                break;
            case place::line:
                p = find_line_end(p, end);
                if (p == end) return npos;
                place_ = *p++ == '\n' ? place::line_start : place::after_cr;
                break;
            case place::after_cr:
            case place::ended_cr:
                at_boundary_ = false;
                ++p;
                if (c == '\r') return ended(place::ended_cr);
                if (c == '\n') {
                    place_ = place::line_start;
                } else {
                    begin_line(c);
                }
                break;
        }
    }
    return npos;
}

}  // namespace sluice::http
