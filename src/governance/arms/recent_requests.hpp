// Which arm served the latest requests, and what was said of it: bounded, without a lock where requests pass.
//
// Each worker writes a shard of its own and only that, with three plain stores; any thread may look through all shards,
// which is rare. A request is known by a keyed hash of its id and of who made it (see siphash.hpp), so that nobody
// finds, or pushes out, what another caller asked.
//
// A shard is a fixed table of sets of four entries: a new one takes the place of the oldest of its set. So the latest
// quarter of `entries` is known nearly surely, and of the latest `entries` most.
//
// Invariants:
//  1. A key is 0 while its value is being replaced, and a value holds the number of its write. So who reads a key, then
//     its value, then the same key again knows that they belong together.
//  2. A judgement changes a value by compare-and-swap: one that was replaced meanwhile has another number.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace sluice {

class recent_requests {
public:
    class shard;
    static constexpr std::size_t shards_max = 1024;

    // Room for about so many requests in each shard.
    explicit recent_requests(std::size_t entries_per_shard);
    recent_requests(const recent_requests&) = delete;
    recent_requests& operator=(const recent_requests&) = delete;
    ~recent_requests();

    // The shard of a worker, made when it is first asked for; `worker` is any address that tells workers apart. Takes a
    // lock: call it at construction. Null past shards_max.
    shard* of(const void* worker);

    // Any thread. The arm of the request; nothing: it is not known (any more).
    std::optional<std::uint16_t> find(std::uint64_t hash) const;
    struct judged {
        std::uint16_t arm = 0;
        std::optional<std::int32_t> before;  // the score that this one replaces
    };
    // Any thread. `score` in millionths, -1,000,000 to 1,000,000. Nothing: the request is not known.
    std::optional<judged> judge(std::uint64_t hash, std::int32_t score);

private:
    struct entry {
        std::atomic<std::uint64_t> key{0};    // 0: none
        std::atomic<std::uint64_t> value{0};  // number << 38 | arm << 22 | judged << 21 | score + 1,000,000
    };
    entry* place_of(std::uint64_t hash, std::uint64_t& value) const;

    const std::size_t entries_;  // of a shard; a power of two
    std::mutex mutex_;           // of adding a shard
    std::vector<const void*> workers_;
    std::array<std::atomic<shard*>, shards_max> shards_{};
    std::atomic<std::size_t> shards_n_{0};
};

// Of one worker, on its thread.
class recent_requests::shard {
public:
    explicit shard(std::size_t entries) : entries_(entries), mask_(entries - 1) {}
    // Enters a request, or changes the arm of one that is known; what was said of it is forgotten.
    void put(std::uint64_t hash, std::uint16_t arm);

private:
    friend class recent_requests;
    static constexpr std::size_t ways = 4;
    std::vector<entry> entries_;
    const std::size_t mask_;
    std::uint64_t written_ = 0;
};

}  // namespace sluice
