#include "sim/text.hpp"

#include <array>
#include <cstring>

namespace sluice::sim {
namespace {

// 64 entries, so that six bits choose one.
constexpr std::array<std::string_view, 64> words = {
    "the",    "river",  "of",     "time",    "carries", "small",  "stones", "to",       "a",       "wide",   "sea",
    "where",  "light",  "and",    "salt",    "meet",    "every",  "gate",   "opens",    "for",     "water",  "that",
    "knows",  "its",    "way",    "slowly",  "or",      "fast",   "東京",   "naïve",    "größe",   "🚀",     "语言",
    "Ελλάδα", "wheel",  "turns",  "under",   "old",     "bridge", "while",  "birds",    "count",   "clouds", "no",
    "storm",  "is",     "longer", "than",    "night",   "in",     "spring", "we",       "measure", "what",   "flows",
    "by",     "weight", "of one", "lock at", "once",    "then",   "rest",   "again as", "before",
};

std::uint64_t load8(const char* p, std::size_t n) {
    std::uint64_t v = 0;
    std::memcpy(&v, p, n);
    return v;
}

}  // namespace

std::string_view token_text::piece(std::size_t i) const {
    const std::size_t begin = i == 0 ? 0 : ends[i - 1];
    return std::string_view(text).substr(begin, ends[i] - begin);
}

void token_text::truncate(std::size_t tokens) {
    if (tokens >= ends.size()) return;
    ends.resize(tokens);
    text.resize(tokens == 0 ? 0 : ends.back());
}

void token_text::add(std::string_view piece) {
    text += piece;
    ends.push_back(static_cast<std::uint32_t>(text.size()));
}

std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t seed) {
    std::uint64_t h = mix(seed ^ bytes.size());
    const char* p = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 8; p += 8, left -= 8) {
        h = (h ^ load8(p, 8)) * 0xff51afd7ed558ccdULL;
        h ^= h >> 32;
    }
    if (left > 0) h = (h ^ load8(p, left)) * 0xff51afd7ed558ccdULL;
    return mix(h);
}

std::vector<std::uint64_t> chain_hashes(std::string_view bytes, std::size_t block_bytes, std::uint64_t seed) {
    std::vector<std::uint64_t> out;
    out.reserve(bytes.size() / block_bytes);
    std::uint64_t h = seed;
    for (std::size_t at = 0; at + block_bytes <= bytes.size(); at += block_bytes) {
        h = hash_bytes(bytes.substr(at, block_bytes), h);
        out.push_back(h);
    }
    return out;
}

token_text speak(std::uint64_t seed, std::size_t tokens) {
    token_text t;
    t.text.reserve(tokens * 7);
    t.ends.reserve(tokens);
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < tokens; ++i) {
        if (i % 10 == 0) bits = mix(seed + i);
        if (i > 0) t.text += ' ';
        t.add(words[bits & 63]);
        bits >>= 6;
    }
    return t;
}

token_text split_words(std::string_view text) {
    token_text t;
    while (!text.empty()) {
        const std::size_t cut = text.find(' ', 1);
        t.add(text.substr(0, cut));
        text = cut == std::string_view::npos ? std::string_view() : text.substr(cut);
    }
    return t;
}

std::string make_id(std::string_view prefix, std::uint64_t n) {
    static constexpr char digits[] = "abcdefghijklmnopqrstuvwxyz012345";
    std::string id(prefix);
    for (int word = 0; word < 2; ++word) {
        std::uint64_t bits = mix(n * 2 + static_cast<std::uint64_t>(word));
        for (int i = 0; i < 12; ++i, bits >>= 5) id += digits[bits & 31];
    }
    return id;
}

std::string base64(std::string_view bytes) {
    static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t v = 0;
        for (std::size_t k = 0; k < 3; ++k) {
            v = v << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        }
        for (std::size_t k = 0; k < 4; ++k) out += i + k > bytes.size() ? '=' : digits[v >> (18 - 6 * k) & 63];
    }
    return out;
}

}  // namespace sluice::sim
