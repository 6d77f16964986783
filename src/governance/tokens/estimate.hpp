// How many tokens a text may have for a tokenizer that nobody publishes (Claude, Gemini, ...).
//
// Upper bound: one token per byte and one for a beginning. A tokenizer that falls back to bytes cannot make more,
// unless it rewrites the text first: NFKC, which an early Claude tokenizer applied, turns the three bytes of U+FDFA
// into 33. A byte that is no UTF-8 is three bytes of U+FFFD to it.
//
// Typical count: the text is cut as o200k_base cuts it (split.hpp), for all tokenizers of today cut alike, and a piece
// costs its characters, rounded up to whole tokens:
//
//   ASCII letter 1/6, digit or punctuation 1/3, white space 1/60; characters of two bytes (accents, Cyrillic) 2/5,
//   of three (Chinese) 2/3, of four (emoji) 2
//
// So a word of five letters with its blank is one token, one of six is two. The weights were fitted to o200k_base and
// cl100k_base over English, program text, JSON and message catalogues in fifteen languages, and lean high for English
// and code: 7 to 32 % over o200k_base, which makes 3.2 to 4.0 characters per token. The vendors say of their own: 3.5
// (Anthropic, glossary), 4 (Google, "Understand and count tokens"). Base64 and the like come out a third too low.
// docs/tokens.md has the measurements.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::tokens {

struct token_estimate {
    std::int64_t typical = 0;
    std::int64_t upper = 0;  // never below `typical`
};

// Any bytes. Blocks for 20 ms per MB.
token_estimate estimate(std::string_view text);

}  // namespace sluice::tokens
