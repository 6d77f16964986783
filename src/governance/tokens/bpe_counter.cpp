#include "governance/tokens/bpe_counter.hpp"

#include "governance/tokens/bpe_merge.hpp"
#include "governance/tokens/code_points.hpp"

#include <cassert>
#include <limits>
#include <utility>

namespace sluice::tokens {

bpe_counter::bpe_counter(encoding e, std::shared_ptr<const bpe_ranks> ranks) : encoding_(e), ranks_(std::move(ranks)) {
    assert(ranks_);
}

std::int64_t bpe_counter::count(std::string_view text) const {
    stepwise_count counting{*this, text};
    counting.step(std::numeric_limits<std::size_t>::max());
    return counting.tokens();
}

std::vector<std::uint32_t> bpe_counter::encode(std::string_view text) const {
    std::vector<std::uint32_t> ids;
    stepwise_count counting{*this, text, &ids};
    counting.step(std::numeric_limits<std::size_t>::max());
    return ids;
}

std::int64_t bpe_counter::take(std::string_view piece, std::vector<std::uint32_t>* ids) const {
    // Most pieces are a token, and merging would find that same one.
    if (const std::uint32_t rank = ranks_->rank_of(piece); rank != bpe_ranks::none) {
        if (ids != nullptr) ids->push_back(rank);
        return 1;
    }
    return piece.size() <= short_piece_bytes_max ? merge_short(*ranks_, piece, ids) : merge_long(*ranks_, piece, ids);
}

stepwise_count::stepwise_count(const bpe_counter& counter, std::string_view text)
    : stepwise_count(counter, text, nullptr) {}

stepwise_count::stepwise_count(const bpe_counter& counter, std::string_view text, std::vector<std::uint32_t>* ids)
    : counter_(counter),
      repaired_(repaired(text)),
      pieces_(counter.encoding_, repaired_.empty() ? text : repaired_),
      ids_(ids) {}

bool stepwise_count::step(std::size_t bytes) {
    std::size_t counted = 0;
    while (counted < bytes) {
        if (piece_.empty()) {
            if (pieces_.done()) return false;
            piece_ = pieces_.next();
        }
        const std::string_view part = piece_.substr(0, merged_bytes_max);
        tokens_ += counter_.take(part, ids_);
        piece_.remove_prefix(part.size());
        counted += part.size();
    }
    return !piece_.empty() || !pieces_.done();
}

}  // namespace sluice::tokens
