// Code points as tokenizers see them: how long, and of which kind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::tokens {

// The kinds that the patterns of split.hpp tell apart. Every code point is of exactly one.
enum class char_kind : std::uint8_t {
    upper,    // \p{Lu} \p{Lt}
    lower,    // \p{Ll}
    uncased,  // \p{Lm} \p{Lo}: Chinese, Arabic, ...
    mark,     // \p{M}: accents that stand alone; no letter to \p{L}
    number,   // \p{N}
    newline,  // CR and LF
    space,    // the rest of \s: the property White_Space
    other,    // punctuation, symbols, controls, unassigned
};

constexpr bool is_letter(char_kind k) {
    return k == char_kind::upper || k == char_kind::lower || k == char_kind::uncased;
}
constexpr bool is_white(char_kind k) {
    return k == char_kind::newline || k == char_kind::space;
}

struct code_point {
    char_kind kind;
    std::uint8_t bytes;  // 1 to 4
};

// The one that begins at `at`, which is inside `text`. A byte that is no part of UTF-8 (RFC 3629: neither overlong,
// nor a surrogate, nor cut off) is U+FFFD, one byte long. The kinds of non-ASCII come from ICU: a letter that is
// younger than the Unicode of the installed ICU (15 on Debian 12) is `other`.
code_point code_point_at(std::string_view text, std::size_t at);

// The same text with U+FFFD written out for each such byte; empty when there is none, as in all JSON.
std::string repaired(std::string_view text);

}  // namespace sluice::tokens
