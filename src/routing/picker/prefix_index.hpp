// Which endpoint probably keeps which blocks of prompts: what was sent there, less what it must have evicted since.
// A guess that costs speed when it is wrong and nothing else. Thread-safe: readers are wait-free, writers lock-free.
//
// One flat table for all endpoints of a pool. An entry is a block's name and one bit per endpoint; it lives in one of
// two buckets of 8 (the emptier when it came), so a look-up reads at most two buckets and never follows a chain. An
// entry whose last bit went is free at once: no tombstones, nothing to sweep later. Two threads that enter the same
// new name at once may enter it twice; readers take both together.
//
// What an endpoint keeps is bounded as in the endpoint itself: a ring of its blocks, oldest first, with a capacity in
// bytes of prompt. When it is full the hand moves on: a block used since the hand last passed gets another round
// (CLOCK), any other is forgotten. A prompt enters the ring last block first, because model servers, too, give up the
// end of a prompt before its beginning.
//
// Memory is fixed at construction, and touched only as it fills: an entry is 16 bytes up to 64 endpoints (8 + 8 per 64
// endpoints), a third are kept free; a ring takes 5 to 6 bytes per block. 64 endpoints of 20,000 blocks: 38 MB.
#pragma once

#include "routing/picker/prefix_hasher.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

namespace sluice::picker {

inline constexpr std::size_t endpoints_max = 256;

struct prefix_index_options {
    std::size_t endpoints = 64;                // slots; at most endpoints_max
    std::size_t blocks_per_endpoint = 20'000;  // bounds a ring whatever the capacity in bytes
    std::size_t memory_max = 40 << 20;         // bytes; blocks_per_endpoint is lowered to keep to it
};

// How many leading blocks of a chain each endpoint keeps, by slot.
struct prefix_match {
    std::array<std::uint16_t, endpoints_max> blocks;  // valid for the slots that the index has
    std::uint16_t most = 0;
};

class prefix_index {
public:
    explicit prefix_index(const prefix_index_options& o);

    // Nobody need hold anything; what other threads change meanwhile may or may not be seen.
    void match(std::span<const prefix_block> chain, prefix_match& out) const;

    // The endpoint is about to compute this prompt, or has it: called when the request is sent, so that the next one
    // with the same beginning already knows.
    void insert(std::size_t slot, std::span<const prefix_block> chain);
    // The endpoint turned out not to keep the blocks from `first` on.
    void truncate(std::size_t slot, std::span<const prefix_block> chain, std::size_t first);
    // It keeps nothing: it was restarted, or the slot gets another endpoint.
    void wipe(std::size_t slot);

    // Bytes of prompt that the endpoint can keep. Without a call: as many as blocks_per_endpoint of 256 bytes.
    void set_capacity(std::size_t slot, std::uint64_t bytes);
    // How full the endpoint's memory is by what was sent there: 0 to 1.
    double fill(std::size_t slot) const;

    std::size_t slots() const { return rings_.size(); }
    std::size_t blocks_per_endpoint() const { return ring_blocks_; }
    std::size_t memory_bytes() const { return memory_; }
    // Blocks that found both their buckets full; grows only where names are far from even.
    std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
    // Entries in use, by counting them: for tests and gauges, not for the request path.
    std::size_t entries() const;

private:
    template <class T>
    struct freed {
        void operator()(T* p) const { std::free(p); }
    };
    // Zeroed memory that the system need not provide before it is used. Read and written through atomic_ref.
    template <class T>
    using zeroed = std::unique_ptr<T[], freed<T>>;

    // The blocks of one endpoint. An item is an entry's number and, in the upper bits, the block's size.
    struct alignas(64) ring {
        std::uint32_t* items = nullptr;  // 0: nobody
        std::uint32_t* used = nullptr;   // bits by hash of the entry's number: used since the hand passed
        std::atomic<std::uint64_t> head{0}, tail{0};
        std::atomic<std::int64_t> bytes{0};
        std::atomic<std::int64_t> capacity{0};
    };
    static constexpr std::size_t bucket_entries = 8;
    static constexpr std::uint64_t freeing = 1;  // a name that no block has: its entry is being given back

    static constexpr std::size_t nowhere = ~std::size_t{0};

    std::uint64_t* keys(std::size_t bucket) const { return table_ + bucket * bucket_words_; }
    std::uint64_t* key(std::size_t entry) const { return keys(entry / bucket_entries) + entry % bucket_entries; }
    std::uint64_t* bits(std::size_t entry) const {
        return keys(entry / bucket_entries) + bucket_entries + entry % bucket_entries * words_;
    }
    std::array<std::size_t, 2> buckets_of(std::uint64_t hash) const;
    void prefetch(std::uint64_t hash) const;
    template <class F>
    void for_each_entry(std::uint64_t hash, F&& f) const;  // f(entry)
    bool unused(std::size_t entry) const;

    void insert_block(std::size_t slot, std::uint64_t hash, std::uint32_t size);
    // An entry of this name, new if there is none; nowhere when both buckets are full.
    std::size_t find_or_claim(std::uint64_t hash);
    void clear_bit(std::size_t entry, std::size_t slot);
    void push(std::size_t slot, std::uint32_t item);
    // Forgets the oldest block; with `spare` it gets another round if it was used. False: the ring is empty.
    bool advance(std::size_t slot, bool spare);
    void put(std::size_t slot, std::uint32_t item);
    void forget(std::size_t slot, std::uint32_t item);
    std::uint32_t used_mask(std::size_t entry) const;
    std::uint32_t* used_word(const ring& r, std::size_t entry) const;

    std::size_t words_;         // of 64 endpoints each
    std::size_t bucket_words_;  // 8 keys, then 8 x words_ bits
    std::size_t buckets_;
    std::size_t ring_blocks_;
    std::size_t used_bits_;  // per ring, a power of two
    std::size_t memory_;
    zeroed<std::uint64_t> table_memory_;
    std::uint64_t* table_;  // aligned to cache lines
    zeroed<std::uint32_t> ring_memory_;
    std::vector<ring> rings_;
    std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace sluice::picker
