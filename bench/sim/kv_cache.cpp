#include "sim/kv_cache.hpp"

#include <algorithm>
#include <cassert>

namespace sluice::sim {

kv_cache::kv_cache(std::size_t blocks) : table_(blocks) {
    free_.reserve(blocks);
    for (std::size_t i = blocks; i-- > 0;) free_.push_back(static_cast<block_id>(i));
    by_hash_.reserve(std::min<std::size_t>(blocks, 4096));
}

std::size_t kv_cache::match(std::span<const std::uint64_t> hashes) const {
    std::size_t n = 0;
    while (n < hashes.size() && by_hash_.contains(hashes[n])) ++n;
    return n;
}

void kv_cache::share(std::span<const std::uint64_t> hashes, std::size_t count, std::vector<block_id>& out) {
    for (const std::uint64_t hash : hashes.first(count)) {
        const block_id id = by_hash_.at(hash);
        if (table_[id].references++ == 0) unpark(id);
        out.push_back(id);
    }
}

bool kv_cache::allocate(std::size_t count, std::vector<block_id>& out) {
    if (count > available()) return false;
    for (std::size_t i = 0; i < count; ++i) {
        const block_id id = take();
        table_[id].references = 1;
        ++in_use_;
        out.push_back(id);
    }
    return true;
}

void kv_cache::publish(block_id id, std::uint64_t hash) {
    block& b = table_[id];
    if (b.published) return;
    if (!by_hash_.emplace(hash, id).second) return;
    b.hash = hash;
    b.published = true;
}

void kv_cache::release(std::span<const block_id> blocks) {
    for (std::size_t i = blocks.size(); i-- > 0;) {
        assert(table_[blocks[i]].references > 0);
        if (--table_[blocks[i]].references == 0) park(blocks[i]);
    }
}

void kv_cache::wipe() {
    while (oldest_ != none) free_.push_back(evict());
}

void kv_cache::park(block_id id) {
    --in_use_;
    block& b = table_[id];
    if (!b.published) {
        free_.push_back(id);
        return;
    }
    b.older = newest_;
    b.newer = none;
    (newest_ == none ? oldest_ : table_[newest_].newer) = id;
    newest_ = id;
}

void kv_cache::unpark(block_id id) {
    ++in_use_;
    const block& b = table_[id];
    (b.older == none ? oldest_ : table_[b.older].newer) = b.newer;
    (b.newer == none ? newest_ : table_[b.newer].older) = b.older;
}

kv_cache::block_id kv_cache::take() {
    if (free_.empty()) return evict();
    const block_id id = free_.back();
    free_.pop_back();
    return id;
}

kv_cache::block_id kv_cache::evict() {
    const block_id id = oldest_;
    unpark(id);
    --in_use_;
    by_hash_.erase(table_[id].hash);
    table_[id].published = false;
    return id;
}

}  // namespace sluice::sim
