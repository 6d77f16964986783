// Ranks for tests: a made-up vocabulary, and the published ones where the machine has them.
#pragma once

#include "governance/tokens/bpe_ranks.hpp"
#include "governance/tokens/encoding.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace sluice::tokens {

inline std::string base64(std::string_view bytes) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 3; ++j)
            group = group << 8U | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
        for (std::size_t j = 0; j < 4; ++j)
            text += i + j > bytes.size() ? '=' : alphabet[group >> (18 - 6 * j) & 0x3FU];
    }
    return text;
}

// A rank file: the single bytes as 0 to 255, then these.
inline std::string rank_file(std::initializer_list<std::string_view> tokens) {
    std::string file;
    int rank = 0;
    for (; rank < 256; ++rank) {
        const char byte = static_cast<char>(rank);
        file += base64({&byte, 1}) + ' ' + std::to_string(rank) + '\n';
    }
    for (const auto token : tokens) file += base64(token) + ' ' + std::to_string(rank++) + '\n';
    return file;
}

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
