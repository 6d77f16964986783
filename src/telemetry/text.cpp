#include "telemetry/text.hpp"

#include "base/ascii.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace sluice::telemetry {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD

// Bytes that need no look: printable ASCII without quote and backslash.
constexpr std::array<bool, 256> make_plain_table() {
    std::array<bool, 256> table{};
    for (unsigned c = 0x20; c < 0x7f; ++c) table[c] = c != '"' && c != '\\';
    return table;
}
constexpr auto plain_table = make_plain_table();

struct character {
    std::uint32_t code = 0;  // meaningless when size is 0
    std::size_t size = 0;    // bytes; 0: not UTF-8
};

// The character at the start of a text that is not empty, by table 3-7 of the Unicode standard: no
// overlong forms, no surrogates, nothing above U+10FFFF.
character decode(std::string_view text) {
    const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const auto tail = [&](std::size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
    const std::uint32_t a = byte(0);
    if (a < 0x80) return {a, 1};
    if (a >= 0xc2 && a <= 0xdf && tail(1)) return {((a & 0x1fU) << 6) | (byte(1) & 0x3fU), 2};
    if (a >= 0xe0 && a <= 0xef && tail(1) && tail(2)) {
        const std::uint32_t code = ((a & 0x0fU) << 12) | ((byte(1) & 0x3fU) << 6) | (byte(2) & 0x3fU);
        if (code >= 0x800 && !(code >= 0xd800 && code <= 0xdfff)) return {code, 3};
    }
    if (a >= 0xf0 && a <= 0xf4 && tail(1) && tail(2) && tail(3)) {
        const std::uint32_t code =
            ((a & 0x07U) << 18) | ((byte(1) & 0x3fU) << 12) | ((byte(2) & 0x3fU) << 6) | (byte(3) & 0x3fU);
        if (code >= 0x10000 && code <= 0x10ffff) return {code, 4};
    }
    return {};
}

// Characters that end a line, steer a terminal or change the order in which text is shown.
bool steers(std::uint32_t c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || c == 0x200e || c == 0x200f ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

void append_escape(std::string& out, std::uint32_t c) {
    switch (c) {
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        default:
            break;
    }
    constexpr std::string_view digits = "0123456789abcdef";
    const char escape[] = {'\\', 'u', digits[c >> 12 & 15], digits[c >> 8 & 15], digits[c >> 4 & 15], digits[c & 15]};
    out.append(escape, sizeof escape);  // all that steers lies below U+10000
}

void append_safe(std::string& out, std::string_view text, std::size_t bytes_max, bool quotes_too) {
    std::string_view rest = text.substr(0, bytes_max);
    while (!rest.empty()) {
        const auto odd =
            std::find_if(rest.begin(), rest.end(), [](char c) { return !plain_table[static_cast<unsigned char>(c)]; });
        const auto plain = static_cast<std::size_t>(odd - rest.begin());
        out.append(rest.data(), plain);
        rest.remove_prefix(plain);
        if (rest.empty()) break;
        const character c = decode(rest);
        const bool escape = c.code == '\\' || (c.code == '"' && quotes_too) || steers(c.code);
        if (c.size == 0) {
            out += replacement;
        } else if (escape) {
            append_escape(out, c.code);
        } else {
            out.append(rest.data(), c.size);
        }
        rest.remove_prefix(std::max<std::size_t>(c.size, 1));
    }
    if (text.size() > bytes_max) out += "\xe2\x80\xa6";
}

bool in_token(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{"-_.~+/="}.find(c) != std::string_view::npos;
}

}  // namespace

void append_json(std::string& out, std::string_view text, std::size_t bytes_max) {
    out += '"';
    append_safe(out, text, bytes_max, true);
    out += '"';
}

void append_plain(std::string& out, std::string_view text, std::size_t bytes_max) {
    append_safe(out, text, bytes_max, false);
}

bool is_plain(std::string_view text) {
#if defined(__SSE2__)
    using namespace ascii::detail;
    return none(text, [](const char* p) {
        // Signed compares: bytes from 0x80 on count as negative.
        const __m128i v = load(p);
        const __m128i outside = _mm_or_si128(_mm_cmpgt_epi8(all(0x20), v), _mm_cmpeq_epi8(v, all(0x7f)));
        const __m128i special = _mm_or_si128(_mm_cmpeq_epi8(v, all('"')), _mm_cmpeq_epi8(v, all('\\')));
        return mask(_mm_or_si128(outside, special));
    });
#else
    return std::all_of(text.begin(), text.end(), [](char c) { return plain_table[static_cast<unsigned char>(c)]; });
#endif
}

std::string valid_utf8(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const character c = decode(text);
        out += c.size == 0 ? replacement : text.substr(0, c.size);
        text.remove_prefix(std::max<std::size_t>(c.size, 1));
    }
    return out;
}

std::string redact(std::string_view text) {
    // Prefixes that providers and tools give their keys, and the scheme that carries any of them.
    static constexpr std::string_view prefixes[] = {"sk-",  "sk_",  "Bearer ", "bearer ", "Basic ", "AIza", "AKIA",
                                                    "ghp_", "gsk_", "hf_",     "xai-",    "xoxb-",  "eyJ"};
    constexpr std::size_t token_min = 12;  // shorter than any real credential
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::string_view rest = text.substr(at);
        const auto known = std::find_if(std::begin(prefixes), std::end(prefixes),
                                        [&](std::string_view prefix) { return rest.starts_with(prefix); });
        const bool word_start = at == 0 || !in_token(text[at - 1]) || text[at - 1] == '=';
        if (known != std::end(prefixes) && word_start) {
            const std::string_view tail = rest.substr(known->size());
            const auto length =
                static_cast<std::size_t>(std::find_if_not(tail.begin(), tail.end(), in_token) - tail.begin());
            if (length >= token_min) {
                out.append(*known).append("***");
                at += known->size() + length;
                continue;
            }
        }
        out += text[at++];
    }
    return out;
}

}  // namespace sluice::telemetry
