// The first step of a tokenizer: cutting a text into pieces (words, numbers, punctuation, white space), inside of
// which bytes are merged and across which they never are.
//
// The published patterns (tiktoken 0.14, tiktoken_ext/openai_public.py), in the order in which they are tried:
//
//   o200k_base    [^\r\n\p{L}\p{N}]? [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]* [\p{Ll}\p{Lm}\p{Lo}\p{M}]+
//   (?i:'s|'t|'re|'ve|'m|'ll|'d)?
//                 [^\r\n\p{L}\p{N}]? [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+ [\p{Ll}\p{Lm}\p{Lo}\p{M}]*
//                 (?i:'s|'t|'re|'ve|'m|'ll|'d)?
//                 \p{N}{1,3}
//                  ?[^\s\p{L}\p{N}]+ [\r\n/]*
//                 \s*[\r\n]+  |  \s+(?!\S)  |  \s+
//   cl100k_base   '(?i:[sdmt]|ll|ve|re)
//                 [^\r\n\p{L}\p{N}]?+ \p{L}++
//                 \p{N}{1,3}+
//                  ?[^\s\p{L}\p{N}]++ [\r\n]*+
//                 \s++$  |  \s*[\r\n]  |  \s+(?!\S)  |  \s
//
// They are followed by hand, each code point being looked at a bounded number of times, so that no text is slow.
// Older copies of the cl100k_base pattern lack `\s++$`: they cut white space at the very end behind its last newline.
#pragma once

#include "governance/tokens/encoding.hpp"

#include <cstddef>
#include <string_view>

namespace sluice::tokens {

// Hands out the pieces of one text from front to back. Views into the text, which must outlive it.
//
//   splitter pieces{encoding::o200k_base, text};
//   while (!pieces.done()) use(pieces.next());
//
// Any bytes are cut; joined again, the pieces are the text, and none is empty. Bytes that are no UTF-8 are symbols,
// like U+FFFD.
class splitter {
public:
    splitter(encoding e, std::string_view text) : encoding_(e), text_(text) {}

    bool done() const { return at_ == text_.size(); }
    std::string_view next();  // before done()

private:
    const encoding encoding_;
    const std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace sluice::tokens
