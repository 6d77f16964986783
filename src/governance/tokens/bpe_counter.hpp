// How many tokens a text has, exactly as the published tokenizer counts them.
//
//   auto ranks = bpe_ranks::load(folder + "/o200k_base.tiktoken");
//   bpe_counter counter{encoding::o200k_base, *ranks};
//   counter.count("hello world")   // 2
//
// Texts that look like special tokens ("<|endoftext|>") are counted as the text they are: what a client writes never
// becomes one. What a request adds around its texts is in chat_overhead.hpp.
#pragma once

#include "governance/tokens/bpe_ranks.hpp"
#include "governance/tokens/encoding.hpp"
#include "governance/tokens/split.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::tokens {

// Immutable: may be shared by workers.
class bpe_counter {
public:
    // `ranks` are those of the encoding; not null.
    bpe_counter(encoding e, std::shared_ptr<const bpe_ranks> ranks);

    // Any bytes; what is no UTF-8 counts as U+FFFD, one for each bad byte. Blocks until the whole text is counted:
    // about 40 ms per MB of prose, ten times that for the worst text there is. A worker takes a `stepwise_count`.
    //
    // Exact, but for words without end: a piece is cut every merged_bytes_max bytes, and each cut may part what the
    // tokenizer would have merged, a token or two in thousands.
    std::int64_t count(std::string_view text) const;
    // The tokens themselves.
    std::vector<std::uint32_t> encode(std::string_view text) const;

private:
    friend class stepwise_count;
    std::int64_t take(std::string_view piece, std::vector<std::uint32_t>* ids) const;

    const encoding encoding_;
    const std::shared_ptr<const bpe_ranks> ranks_;
};

// The same in steps, for a thread that has others to serve between them.
//
//   stepwise_count counting{counter, text};
//   while (counting.step(32 * 1024)) co_await the turn of the others;
//   counting.tokens()
//
// The counter and the text must outlive it. One thread.
class stepwise_count {
public:
    stepwise_count(const bpe_counter& counter, std::string_view text);
    stepwise_count(const stepwise_count&) = delete;
    stepwise_count& operator=(const stepwise_count&) = delete;

    // Counts on for at least so many bytes, at most merged_bytes_max more, or to the end. True while there is more.
    bool step(std::size_t bytes);
    // As far as it has come.
    std::int64_t tokens() const { return tokens_; }

private:
    friend class bpe_counter;
    stepwise_count(const bpe_counter& counter, std::string_view text, std::vector<std::uint32_t>* ids);

    const bpe_counter& counter_;
    const std::string repaired_;  // empty: the text is good as it is
    splitter pieces_;
    std::string_view piece_;  // what is left of the one that is being counted
    std::int64_t tokens_ = 0;
    std::vector<std::uint32_t>* const ids_;  // may be null
};

}  // namespace sluice::tokens
