// The vocabulary of a byte-pair tokenizer: which bytes are a token, and its rank, which is both its id and the order
// in which pairs are merged.
//
// Read once at start from a rank file, then immutable and shared by all workers. o200k_base takes 8.6 MB. Nothing
// is bundled: scripts/lib/token-ranks fetches the published files.
#pragma once

#include <sluice/result.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::tokens {

inline constexpr std::size_t rank_file_bytes_max = 64U << 20U;
inline constexpr std::size_t rank_entries_max = 400'000;
inline constexpr std::size_t token_bytes_max = 1024;  // the longest of o200k_base has 128

class bpe_ranks {
public:
    // A rank file: one line "BASE64 RANK" per token, no rank and no token twice, every single byte a token. An error
    // names the line: "line 12: the rank is no number".
    static result<std::shared_ptr<const bpe_ranks>> load(const std::string& path);
    static result<std::shared_ptr<const bpe_ranks>> parse(std::string_view file);

    static constexpr std::uint32_t none = 0xFFFFFFFF;
    // `none` where the bytes are no token. Thread-safe.
    std::uint32_t rank_of(std::string_view bytes) const;

    std::size_t size() const { return entries_.size(); }

private:
    friend class rank_file_reader;

    struct entry {
        std::uint32_t at;  // in bytes_
        std::uint32_t rank;
        std::uint16_t length;
    };
    // Open addressing, at most half full. Most questions are about bytes that are no token: the fingerprint answers
    // nearly all of them without a look at the entry. Who chooses texts cannot lengthen a chain: they are the file's.
    struct slot {
        std::uint32_t fingerprint = 0;
        std::uint32_t entry = none;
    };

    bpe_ranks() = default;
    std::string_view bytes_of(const entry& e) const { return std::string_view{bytes_}.substr(e.at, e.length); }
    bool insert(std::string_view bytes, std::uint32_t rank);  // false: is there already
    void make_room(std::size_t entries);

    std::string bytes_;
    std::vector<entry> entries_;
    std::vector<slot> slots_;  // a power of two
    std::size_t longest_ = 0;
};

}  // namespace sluice::tokens
