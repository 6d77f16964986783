// How many tokens a conversation has, before it is sent.
//
//   text      counted by its model's tokenizer where that is published and installed, else estimated (estimate.hpp)
//   message   3 more for its borders, 1 for its role, 1 for a name; 3 for the answer to come (chat_overhead.hpp)
//   tool      its JSON as text, and 8
//   image     1,600: the most that Anthropic counts for one that is not made smaller
//   document  one token per 20 bytes of data, and never less than 1,500: a page of a PDF (Anthropic: "PDF support")
//   audio     one token per 320 bytes: 32 tokens a second (Gemini) of speech at 80 kbit/s
#pragma once

#include "governance/tokens/bpe_counter.hpp"

#include <sluice/conversation.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::tokens {

struct conversation_tokens {
    std::int64_t typical = 0;  // all of it, as well as that is known
    // No tokenizer makes fewer: what is written in messages and in results of tools, exactly where its tokenizer is at
    // hand, else two thirds of the estimate, which is at most a third too high for the texts it was fitted to.
    std::int64_t least = 0;
};

// Counts in steps, for a thread that has others to serve between them.
//
//   conversation_count counting{c, counter};
//   while (counting.step(16 * 1024)) co_await the turn of the others;
//   counting.sum()
class conversation_count {
public:
    // `counter` is null where the tokenizer is not known. Both outlive it.
    conversation_count(const chat::conversation& c, const bpe_counter* counter);

    // Counts on for about so many bytes, or to the end. True while there is more.
    bool step(std::size_t bytes);
    // As far as it has come.
    conversation_tokens sum() const;

private:
    struct text {
        chat::json value;  // a string, or any JSON that the model sees as it is written
        bool sure;         // belongs to `least`
    };
    void add(chat::json value, bool sure);
    void add(const chat::part& p, bool sure);
    void add(const chat::media_part& m);
    std::size_t count_some(std::size_t bytes);

    const bpe_counter* const counter_;
    std::vector<text> texts_;
    std::size_t at_ = 0;    // the text that is being counted
    std::string plain_;     // it, decoded
    std::size_t done_ = 0;  // bytes of it
    std::optional<stepwise_count> counting_;
    std::int64_t fixed_ = 0, fixed_sure_ = 0, counted_ = 0, counted_sure_ = 0;
};

}  // namespace sluice::tokens
