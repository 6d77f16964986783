#include "http/json_scan.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace sluice::http {
namespace {

// Behind a backslash: does the escape end with this byte?
bool short_escape(char c) {
    switch (c) {
        case 'n':
        case '"':
        case '\\':
        case 't':
        case 'r':
        case '/':
        case 'b':
        case 'f':
            return true;
        default:
            return false;
    }
}

json_run skip_bytewise(const char* p, const char* end, bool ascii) {
    for (; p != end; ++p) {
        const auto c = static_cast<unsigned char>(*p);
        if (c < 0x20 || c == '"' || c == '\\') break;
        ascii = ascii && c < 0x80;
    }
    return {p, ascii};
}

#if defined(__SSE2__)

// The bits below the lowest one set in `mask`, which is not 0.
constexpr std::uint32_t below(std::uint32_t mask) {
    return (mask & (~mask + 1)) - 1;
}

inline std::uint32_t specials16(__m128i v) {
    const __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
    const __m128i slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
    return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, slash), control)));
}

json_run skip_sse2(const char* p, const char* end, bool ascii) {
    for (; end - p >= 16; p += 16) {
        const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        const std::uint32_t special = specials16(v);
        const auto high = static_cast<std::uint32_t>(_mm_movemask_epi8(v));
        if (special != 0) {
            return {p + std::countr_zero(special), ascii && (high & below(special)) == 0};
        }
        ascii = ascii && high == 0;
    }
    return skip_bytewise(p, end, ascii);
}

__attribute__((target("avx2"))) inline __m256i specials32(__m256i v) {
    const __m256i quote = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('"'));
    const __m256i slash = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\'));
    const __m256i control = _mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8(0x1f)), v);
    return _mm256_or_si256(_mm256_or_si256(quote, slash), control);
}

// 64 bytes at a time: a mask of the bytes that matter, of which escapes are struck out two bits at a time.
__attribute__((target("avx2,bmi"))) json_text_run text_avx2(const char* p, const char* end, json_text_run run) {
    const auto mask = [](__m256i a, __m256i b) __attribute__((target("avx2,bmi"))) {
        return static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm256_movemask_epi8(b))) << 32 |
               static_cast<std::uint32_t>(_mm256_movemask_epi8(a));
    };
    __m256i seen = _mm256_setzero_si256();  // high bits of everything passed so far
    while (end - p > 64) {                  // and one byte more, for a backslash that comes last
        const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
        const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32));
        std::uint64_t special = mask(specials32(a), specials32(b));
        std::ptrdiff_t step = 64;
        while (special != 0) {
            const auto at = static_cast<unsigned>(std::countr_zero(special));
            if (p[at] != '\\' || !short_escape(p[at + 1])) {
                const std::uint64_t passed = mask(a, b) & ((std::uint64_t{1} << at) - 1);
                run.ascii = run.ascii && passed == 0 && _mm256_movemask_epi8(seen) == 0;
                run.stop = p + at;
                return run;
            }
            run.escaped = true;
            special &= ~(std::uint64_t{3} << at);
            if (at == 63) step = 65;
        }
        seen = _mm256_or_si256(seen, _mm256_or_si256(a, b));
        p += step;
    }
    run.ascii = run.ascii && _mm256_movemask_epi8(seen) == 0;
    run.stop = p;
    return run;
}

#endif

bool continues(char c) {
    return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

// Bytes of the well-formed sequence at the start of `t` (not empty); 0 if there is none. The table of
// RFC 3629 section 4.
std::size_t utf8_sequence(std::string_view t) {
    const auto a = static_cast<unsigned char>(t[0]);
    if (a < 0x80) return 1;
    if (a < 0xc2 || a > 0xf4) return 0;
    const std::size_t n = a < 0xe0 ? 2 : a < 0xf0 ? 3 : 4;
    if (t.size() < n) return 0;
    for (std::size_t i = 1; i < n; ++i) {
        if (!continues(t[i])) return 0;
    }
    const auto b = static_cast<unsigned char>(t[1]);
    const bool bad =
        (a == 0xe0 && b < 0xa0) || (a == 0xed && b > 0x9f) || (a == 0xf0 && b < 0x90) || (a == 0xf4 && b > 0x8f);
    return bad ? 0 : n;
}

}  // namespace

json_run skip_string_bytes(const char* begin, const char* end) {
#if defined(__SSE2__)
    return skip_sse2(begin, end, true);
#else
    return skip_bytewise(begin, end, true);
#endif
}

json_text_run skip_string_text(const char* begin, const char* end) {
    json_text_run run{begin, true, false};
#if defined(__SSE2__)
    if (end - begin > 64 && __builtin_cpu_supports("avx2")) {
        run = text_avx2(begin, end, run);
        if (end - run.stop > 64) return run;
    }
#endif
    while (true) {
        const json_run plain = skip_string_bytes(run.stop, end);
        run.stop = plain.stop;
        run.ascii = run.ascii && plain.ascii;
        if (end - run.stop < 2 || *run.stop != '\\' || !short_escape(run.stop[1])) return run;
        run.escaped = true;
        run.stop += 2;
    }
}

std::size_t valid_utf8_prefix(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t n = utf8_sequence(text.substr(at));
        if (n == 0) break;
        at += n;
    }
    return at;
}

}  // namespace sluice::http
