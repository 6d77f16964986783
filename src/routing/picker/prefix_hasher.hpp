// Cuts a prompt into blocks and names each block by everything up to its end, so that two prompts share as many
// leading names as they share leading blocks. Model servers keep the attention state of such blocks; the names tell
// which of them keeps how much of a prompt. Pure; one hasher per request, not thread-safe.
//
//   prefix_hasher h({.model = "llama", .tenant = isolated ? tenant : ""});
//   for (std::string_view slice : slices_of_the_body) h.add(slice);
//   features.blocks = h.finish();
//
// Blocks are of 256 bytes (about 64 tokens) and grow with the distance from the start: what matters of a long prompt
// is how much of it is known, not to which token. The size depends on the offset alone; so a prompt that is another's
// beginning has the beginning of its blocks. A rest that fills no block has no name.
#pragma once

#include "routing/picker/xxhash.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace sluice::picker {

struct prefix_block {
    std::uint64_t hash = 0;  // never 0
    std::uint32_t end = 0;   // bytes of the prompt up to the end of this block
    bool operator==(const prefix_block&) const = default;
};

// What separates prompts of the same text. An empty field counts as absent.
struct prefix_scope {
    std::string_view model = {}, lora = {};
    std::string_view cache_salt = {};  // the client's own, as in the request
    std::string_view tenant = {};      // set only where tenants must not share cached prefixes
    std::uint64_t seed = 0;            // the same in all gateways that exchange hashes
};

class prefix_hasher {
public:
    // Blocks of 256 B up to 32 KB, 1 KB up to 96 KB, 4 KB up to 352 KB, 16 KB up to 1.3 MB, then 64 KB. What lies
    // behind the last block is counted in bytes() and not named.
    static constexpr std::size_t blocks_max = 512;
    // An image or a sound in base64 stands for this many bytes of prompt: what a model server charges depends on the
    // picture's size, which nobody looks at here. About 750 tokens.
    static constexpr std::size_t media_bytes = 3072;

    explicit prefix_hasher(const prefix_scope& scope);

    // The next bytes of the prompt, in the order in which the model reads them. How the prompt is cut into slices
    // makes no difference. About 20 GB/s.
    void add(std::string_view slice);
    // The same for encoded media: it counts as media_bytes, and of its content samples count.
    void add_media(std::string_view encoded);

    std::uint64_t bytes() const { return bytes_; }  // of the prompt so far
    // The blocks so far. Valid as long as the hasher, until the next add.
    std::span<const prefix_block> blocks() const { return blocks_; }
    std::vector<prefix_block> finish() { return std::move(blocks_); }

    // The size of the block that begins at this offset.
    static std::uint32_t block_size(std::uint64_t offset);

private:
    xxh3_stream content_;  // of the block under way, where it is cut
    std::uint64_t chain_;  // the name of everything before it
    std::uint64_t bytes_ = 0;
    std::uint64_t block_begin_ = 0;  // of the block under way
    std::vector<prefix_block> blocks_;
};

}  // namespace sluice::picker
