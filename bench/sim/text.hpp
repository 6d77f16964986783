#pragma once
// Text out of numbers: the same prompt, seed and model always get the same words.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::sim {

// A model's words and where each token of it ends.
struct token_text {
    std::string text;
    std::vector<std::uint32_t> ends;  // byte offset after token i; strictly rising, the last is text.size()

    std::size_t tokens() const { return ends.size(); }
    std::string_view piece(std::size_t i) const;
    // Keeps the first `tokens` tokens.
    void truncate(std::size_t tokens);
    // Appends one token.
    void add(std::string_view piece);
};

// The finaliser of splitmix64: every bit of x decides every bit of the result.
constexpr std::uint64_t mix(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t seed = 0);

// One hash per whole block of `block_bytes`, each depending on all bytes before it: equal prefixes give
// equal leading hashes. The rest of the text after the last whole block has none.
std::vector<std::uint64_t> chain_hashes(std::string_view bytes, std::size_t block_bytes, std::uint64_t seed);

// The simulator's tokenizer: four bytes are a token, as is usual in estimates.
inline constexpr std::size_t bytes_per_token = 4;
constexpr std::size_t count_tokens(std::string_view text) {
    return (text.size() + bytes_per_token - 1) / bytes_per_token;
}

// `tokens` words. Some are not ASCII, so that whoever cuts bytes wrongly is found out.
token_text speak(std::uint64_t seed, std::size_t tokens);

// Splits given text at spaces (each token keeps the space before it), so that a scripted text streams.
token_text split_words(std::string_view text);

// prefix + 24 lower-case letters and digits out of n.
std::string make_id(std::string_view prefix, std::uint64_t n);

std::string base64(std::string_view bytes);

}  // namespace sluice::sim
