// Ranks for tests: a made-up vocabulary (support/rank_file.hpp), and the published ones where the machine has them.
#pragma once

#include "governance/tokens/bpe_ranks.hpp"
#include "governance/tokens/encoding.hpp"
#include "support/rank_file.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

namespace sluice::tokens {

// From the folder in SLUICE_TOKEN_RANKS, which scripts/test sets; null, with a warning, where there is none.
inline std::shared_ptr<const bpe_ranks> published(encoding e) {
    const char* folder = std::getenv("SLUICE_TOKEN_RANKS");
    if (folder == nullptr || *folder == '\0') {
        WARN("skipped: SLUICE_TOKEN_RANKS names no folder with rank files (scripts/lib/token-ranks makes one)");
        return nullptr;
    }
    auto ranks = bpe_ranks::load(std::string{folder} + '/' + std::string{name_of(e)} + ".tiktoken");
    REQUIRE(ranks.has_value());
    return *ranks;
}

}  // namespace sluice::tokens
