// Any bytes: the pieces are the text again, both ways of merging agree, and steps of any size count the same.
#include "governance/tokens/bpe_counter.hpp"
#include "governance/tokens/bpe_merge.hpp"
#include "governance/tokens/code_points.hpp"
#include "governance/tokens/estimate.hpp"
#include "governance/tokens/split.hpp"

#include "../support/rank_file.hpp"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

using namespace sluice::tokens;

namespace {

void require(bool fact) {
    if (!fact) std::abort();
}

// Tokens that overlap in every way.
std::shared_ptr<const bpe_ranks> made_up() {
    auto ranks = bpe_ranks::parse(rank_file(
        {"ab", "ba", "aa", "bb", "aba", "bab", "abab", "aaaa", "baab", "  ", "    ", "\xe6\xbc", "\xe6\xbc\xa2"}));
    require(ranks.has_value());
    return *ranks;
}

void check(encoding e, std::string_view text, std::size_t step) {
    static const std::shared_ptr<const bpe_ranks> ranks = made_up();
    const bpe_counter counter{e, ranks};
    std::string joined;
    for (splitter pieces{e, text}; !pieces.done();) {
        const std::string_view piece = pieces.next();
        require(!piece.empty());
        joined += piece;
        if (piece.size() <= short_piece_bytes_max)
            require(merge_short(*ranks, piece, nullptr) == merge_long(*ranks, piece, nullptr));
    }
    require(joined == text);
    const auto ids = counter.encode(text);
    require(counter.count(text) == static_cast<std::int64_t>(ids.size()));
    stepwise_count counting{counter, text};
    while (counting.step(step)) {
    }
    require(counting.tokens() == counter.count(text));
    const token_estimate guess = estimate(text);
    require(guess.typical >= 0 && guess.typical <= guess.upper);
    require(counter.count(text) <= guess.upper);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    // An exact allocation, so that reading past the end is seen.
    const std::unique_ptr<char[]> copy(new char[size - 1]);
    for (std::size_t i = 1; i < size; ++i) copy[i - 1] = static_cast<char>(data[i]);
    const std::string_view text{copy.get(), size - 1};
    check(encoding::o200k_base, text, 1U + data[0]);
    check(encoding::cl100k_base, text, 1U + data[0]);
    (void)bpe_ranks::parse(text);
    return 0;
}
