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
    const __m128i lf = _mm_set1_epi8('\n');
    for (; at + 16 <= bytes.size(); at += 16) {
        const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes.data() + at));
        auto mask = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(v, lf)));
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

}  // namespace sluice::http
