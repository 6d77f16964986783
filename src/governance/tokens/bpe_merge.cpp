#include "governance/tokens/bpe_merge.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <functional>

namespace sluice::tokens {
namespace {

// The tokens of a piece that is merged as a list of nodes, one per byte: a node is alive as long as a token begins at
// its byte. `pair` is the rank of the token that it and its successor would make.
class merge_list {
public:
    merge_list(const bpe_ranks& ranks, std::string_view piece) : ranks_(ranks), piece_(piece), nodes_(piece.size()) {
        const auto size = static_cast<std::uint32_t>(piece.size());
        for (std::uint32_t i = 0; i < size; ++i) nodes_[i] = {i - 1, i + 1, bpe_ranks::none};
        heap_.reserve(size);
        for (std::uint32_t i = 0; i < size; ++i) {
            nodes_[i].pair = pair_at(i);
            if (nodes_[i].pair != bpe_ranks::none) heap_.push_back(key_of(i));
        }
        std::ranges::make_heap(heap_, std::greater{});
    }

    void merge_all() {
        while (!heap_.empty()) {
            std::ranges::pop_heap(heap_, std::greater{});
            const std::uint64_t key = heap_.back();
            heap_.pop_back();
            const auto at = static_cast<std::uint32_t>(key);
            // A pair that has changed meanwhile is in the heap again under its new rank.
            if (nodes_[at].pair == static_cast<std::uint32_t>(key >> 32U)) merge(at);
        }
    }

    std::int64_t tokens(std::vector<std::uint32_t>* ids) const {
        std::int64_t count = 0;
        for (std::uint32_t at = 0; at < nodes_.size(); at = nodes_[at].next, ++count)
            if (ids != nullptr) ids->push_back(ranks_.rank_of(piece_.substr(at, nodes_[at].next - at)));
        return count;
    }

private:
    struct node {
        std::uint32_t previous, next;  // previous of the first: no index; next of the last: the size
        std::uint32_t pair;
    };

    // Orders by rank, then by place.
    std::uint64_t key_of(std::uint32_t at) const { return std::uint64_t{nodes_[at].pair} << 32U | at; }

    std::uint32_t pair_at(std::uint32_t at) const {
        const std::uint32_t next = nodes_[at].next;
        if (next >= nodes_.size()) return bpe_ranks::none;
        return ranks_.rank_of(piece_.substr(at, nodes_[next].next - at));
    }

    void merge(std::uint32_t at) {
        const std::uint32_t gone = nodes_[at].next;
        nodes_[gone].pair = bpe_ranks::none;
        nodes_[at].next = nodes_[gone].next;
        if (nodes_[at].next < nodes_.size()) nodes_[nodes_[at].next].previous = at;
        look_again(at);
        if (at != 0) look_again(nodes_[at].previous);
    }

    void look_again(std::uint32_t at) {
        nodes_[at].pair = pair_at(at);
        if (nodes_[at].pair == bpe_ranks::none) return;
        heap_.push_back(key_of(at));
        std::ranges::push_heap(heap_, std::greater{});
    }

    const bpe_ranks& ranks_;
    const std::string_view piece_;
    std::vector<node> nodes_;
    std::vector<std::uint64_t> heap_;
};

}  // namespace

std::int64_t merge_short(const bpe_ranks& ranks, std::string_view piece, std::vector<std::uint32_t>* ids) {
    assert(piece.size() <= short_piece_bytes_max);
    struct part {
        std::uint32_t begin, pair;
    };
    // One more than there are bytes: the last part begins at the end.
    std::array<part, short_piece_bytes_max + 1> parts;
    std::size_t last = piece.size();
    const auto pair_at = [&](std::size_t i) {
        if (i + 2 > last) return bpe_ranks::none;
        return ranks.rank_of(piece.substr(parts[i].begin, parts[i + 2].begin - parts[i].begin));
    };
    for (std::size_t i = 0; i <= last; ++i) parts[i].begin = static_cast<std::uint32_t>(i);
    for (std::size_t i = 0; i <= last; ++i) parts[i].pair = pair_at(i);

    const auto lowest = [&] {
        return std::min_element(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(last) + 1,
                                [](const part& a, const part& b) { return a.pair < b.pair; });
    };
    for (auto best = lowest(); best->pair != bpe_ranks::none; best = lowest()) {
        const auto at = static_cast<std::size_t>(best - parts.begin());
        std::move(parts.begin() + static_cast<std::ptrdiff_t>(at) + 2,
                  parts.begin() + static_cast<std::ptrdiff_t>(last) + 1,
                  parts.begin() + static_cast<std::ptrdiff_t>(at) + 1);
        --last;
        parts[at].pair = pair_at(at);
        if (at > 0) parts[at - 1].pair = pair_at(at - 1);
    }
    for (std::size_t i = 0; ids != nullptr && i < last; ++i)
        ids->push_back(ranks.rank_of(piece.substr(parts[i].begin, parts[i + 1].begin - parts[i].begin)));
    return static_cast<std::int64_t>(last);
}

std::int64_t merge_long(const bpe_ranks& ranks, std::string_view piece, std::vector<std::uint32_t>* ids) {
    assert(piece.size() <= merged_bytes_max);
    merge_list list{ranks, piece};
    list.merge_all();
    return list.tokens(ids);
}

}  // namespace sluice::tokens
