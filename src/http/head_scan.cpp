#include "http/head_scan.hpp"

#include "base/ascii.hpp"

namespace sluice::http {
namespace {

// What an LF at `at` means.
head_end judge(std::string_view bytes, std::size_t at) {
    if (at == 0 || bytes[at - 1] != '\r') return {progress::bad, 0};
    if (at >= 2 && bytes[at - 2] == '\n') return {progress::done, at + 1};
    return {};
}

}  // namespace

head_end find_head_end(std::string_view bytes, std::size_t& scanned) {
    std::size_t at = scanned;
#if defined(__SSE2__)
    using namespace ascii::detail;
    for (; at + 16 <= bytes.size(); at += 16) {
        unsigned mask = ascii::detail::mask(_mm_cmpeq_epi8(load(bytes.data() + at), all('\n')));
        for (; mask != 0; mask &= mask - 1) {
            const head_end end = judge(bytes, at + static_cast<std::size_t>(__builtin_ctz(mask)));
            if (end.state != progress::need_more) return end;
        }
    }
#endif
    for (; at < bytes.size(); ++at) {
        if (bytes[at] != '\n') continue;
        const head_end end = judge(bytes, at);
        if (end.state != progress::need_more) return end;
    }
    scanned = at;
    return {};
}

std::size_t find_empty_line(std::string_view bytes) {
    const char* const begin = bytes.data();
    const char* const end = begin + bytes.size();
    const char* p = begin;
#if defined(__SSE2__)
    using namespace ascii::detail;
    const __m128i lf = all('\n');
    for (; end - p >= 18; p += 16) {
        unsigned pairs = mask(_mm_and_si128(_mm_cmpeq_epi8(load(p), lf), _mm_cmpeq_epi8(load(p + 2), lf)));
        for (; pairs != 0; pairs &= pairs - 1) {
            const char* const at = p + __builtin_ctz(pairs);
            if (at[1] == '\r') return static_cast<std::size_t>(at + 3 - begin);
        }
    }
#endif
    for (; end - p >= 3; ++p) {
        if (p[0] == '\n' && p[1] == '\r' && p[2] == '\n') return static_cast<std::size_t>(p + 3 - begin);
    }
    return 0;
}

}  // namespace sluice::http
