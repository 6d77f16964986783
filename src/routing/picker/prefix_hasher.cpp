#include "routing/picker/prefix_hasher.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace sluice::picker {
namespace {

// Each block is hashed by itself and then chained, so that a processor may work on several at a time.
std::uint64_t chained(std::uint64_t before, std::uint64_t content) {
    const std::uint64_t h = stir(before * 0x9e3779b97f4a7c15ULL + content);
    return h == 0 ? 1 : h;
}

}  // namespace

std::uint32_t prefix_hasher::block_size(std::uint64_t offset) {
    constexpr std::uint64_t kb = 1024;
    if (offset < 32 * kb) return 256;
    if (offset < 96 * kb) return 1 * kb;
    if (offset < 352 * kb) return 4 * kb;
    if (offset < 1376 * kb) return 16 * kb;
    return 64 * kb;
}

prefix_hasher::prefix_hasher(const prefix_scope& scope) : chain_(stir(scope.seed + 1)) {
    // Each field is closed by its own hash, so ("a", "b") and ("ab", "") differ.
    for (const std::string_view field : {scope.model, scope.lora, scope.cache_salt, scope.tenant})
        chain_ = chained(chain_, xxh64(field, field.size()));
    blocks_.reserve(32);
}

void prefix_hasher::add(std::string_view slice) {
    while (!slice.empty()) {
        if (blocks_.size() == blocks_max) {
            bytes_ += slice.size();
            return;
        }
        const std::size_t size = block_size(block_begin_), missing = size - (bytes_ - block_begin_);
        const std::string_view part = slice.substr(0, missing);
        slice.remove_prefix(part.size());
        bytes_ += part.size();
        // Nearly all blocks come in one piece, which needs no state.
        if (part.size() < size) content_.add(part);
        if (part.size() < missing) return;
        chain_ = chained(chain_, part.size() == size ? xxh3(part) : content_.digest());
        blocks_.push_back({chain_, static_cast<std::uint32_t>(bytes_)});
        block_begin_ = bytes_;
    }
}

void prefix_hasher::add_media(std::string_view encoded) {
    constexpr std::size_t samples = 16, sample_bytes = 256;
    const std::uint64_t length = encoded.size();
    xxh3_stream s;
    s.add({reinterpret_cast<const char*>(&length), sizeof length});
    const std::size_t step = encoded.size() / samples;
    if (step <= sample_bytes) {
        s.add(encoded);
    } else {
        for (std::size_t i = 0; i + 1 < samples; ++i) s.add(encoded.substr(i * step, sample_bytes));
        s.add(encoded.substr(encoded.size() - sample_bytes));
    }
    const std::uint64_t digest = s.digest();
    std::array<char, media_bytes> stand_in;
    for (std::size_t at = 0; at < media_bytes; at += sizeof digest) std::memcpy(&stand_in[at], &digest, sizeof digest);
    add({stand_in.data(), stand_in.size()});
}

}  // namespace sluice::picker
