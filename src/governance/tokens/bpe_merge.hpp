// Byte-pair merging of one piece: as long as two neighbours together are a token, the pair whose token has the
// lowest rank becomes one; of equal ranks the leftmost first.
#pragma once

#include "governance/tokens/bpe_ranks.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace sluice::tokens {

// Up to here the simple way is faster: it looks for the lowest rank from front to back, once per merge.
inline constexpr std::size_t short_piece_bytes_max = 96;
// No word is this long. Bounds what a thread does at a stretch (milliseconds) and the memory that the long way takes
// meanwhile (36 bytes per byte of the piece).
inline constexpr std::size_t merged_bytes_max = 16U << 10U;

// Each returns the number of tokens and appends their ids to `ids` unless that is null. They agree. Thread-safe.
std::int64_t merge_short(const bpe_ranks& ranks, std::string_view piece, std::vector<std::uint32_t>* ids);
// O(n log n). The piece has at most merged_bytes_max bytes.
std::int64_t merge_long(const bpe_ranks& ranks, std::string_view piece, std::vector<std::uint32_t>* ids);

}  // namespace sluice::tokens
