// About how many tokens a conversation is, where nobody who knows can be asked.
//
// Tokenizers of current models make a token of about four characters of English prose and of about one character of
// other scripts (OpenAI: "Tokenizer", the rule of thumb of four characters; CJK text is 0.7 to 1.2 tokens per
// character with o200k_base and cl100k_base). So:
//   text      one token per 4 ASCII bytes, and one per other character
//   message   4 more, for its role and its borders; 3 for the answer to come (OpenAI's cookbook on counting)
//   tool      its JSON as text, and 8
//   image     1,600: the most that Anthropic counts for one that is not made smaller
//   document  one token per 20 bytes of data, and never less than 1,500: a page of a PDF (Anthropic: "PDF support")
//   audio     one token per 320 bytes: 32 tokens a second (Gemini) of speech at 80 kbit/s
#pragma once

#include <sluice/conversation.hpp>

#include <cstdint>

namespace sluice::chat {

std::int64_t estimate_tokens(const conversation& c);

}  // namespace sluice::chat
