#pragma once
// The paged key-value cache of a simulated engine: blocks with reference counts, found again by the hash of
// the prefix they hold, evicted least recently used first. Not thread-safe.

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace sluice::sim {

class kv_cache {
public:
    using block_id = std::uint32_t;

    explicit kv_cache(std::size_t blocks);

    // How many leading hashes are resident, referenced or not.
    std::size_t match(std::span<const std::uint64_t> hashes) const;

    // Takes references on the leading `count` blocks, which match() has just found, and appends their ids.
    void share(std::span<const std::uint64_t> hashes, std::size_t count, std::vector<block_id>& out);

    // Appends `count` fresh blocks with one reference each, evicting unreferenced ones as needed.
    // False, and nothing changed, when there are not enough.
    bool allocate(std::size_t count, std::vector<block_id>& out);

    // Makes a block findable. Does nothing if another block already has this hash: the first one stays.
    void publish(block_id block, std::uint64_t hash);

    // Drops one reference of each. Blocks nobody uses stay findable until evicted; the last of `blocks` is
    // evicted first, because a prefix without its head is useless.
    void release(std::span<const block_id> blocks);

    // Forgets every prefix that nobody references.
    void wipe();

    std::size_t blocks() const { return table_.size(); }
    std::size_t in_use() const { return in_use_; }
    // Blocks that allocate() could hand out now: never used ones and unreferenced ones.
    std::size_t available() const { return table_.size() - in_use_; }

private:
    static constexpr block_id none = UINT32_MAX;
    struct block {
        std::uint64_t hash = 0;
        std::uint32_t references = 0;
        bool published = false;
        block_id older = none, newer = none;  // neighbours among the unreferenced
    };

    void park(block_id id);    // an unreferenced block joins the line for eviction, or the free ones
    void unpark(block_id id);  // and leaves it when it is used again
    block_id take();           // a block to write into; one must be available
    block_id evict();          // the oldest unreferenced block forgets its prefix

    std::vector<block> table_;
    std::vector<block_id> free_;
    std::unordered_map<std::uint64_t, block_id> by_hash_;
    block_id oldest_ = none, newest_ = none;
    std::size_t in_use_ = 0;
};

}  // namespace sluice::sim
