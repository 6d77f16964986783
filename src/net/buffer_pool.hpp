// Memory for bytes in flight, borrowed for as long as there are any.
//
// A connection that waits holds no buffer. Blocks come in powers of two from 16 KiB; freed ones are kept
// for the next request (fresh memory costs a page fault per 4 KiB), up to a limit per worker. All
// workers share one budget of bytes: acquire() fails instead of passing it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace sluice::net {

// Process-wide. Thread-safe.
class byte_budget {
public:
    explicit byte_budget(std::size_t limit) : limit_(static_cast<std::int64_t>(limit)) {}
    bool take(std::int64_t n) {
        if (used_.fetch_add(n, std::memory_order_relaxed) + n <= limit_.load(std::memory_order_relaxed)) return true;
        used_.fetch_sub(n, std::memory_order_relaxed);
        return false;
    }
    void give(std::int64_t n) { used_.fetch_sub(n, std::memory_order_relaxed); }
    void set_limit(std::size_t limit) { limit_.store(static_cast<std::int64_t>(limit), std::memory_order_relaxed); }
    std::int64_t used() const { return used_.load(std::memory_order_relaxed); }  // lent to workers

private:
    alignas(64) std::atomic<std::int64_t> used_{0};
    std::atomic<std::int64_t> limit_;
};

class buffer_pool;

// A borrowed block and the bytes in it: [begin, end) of its capacity. Empty when nothing is borrowed.
class buffer {
public:
    buffer() = default;
    buffer(buffer&& other) noexcept { swap(other); }
    buffer& operator=(buffer&& other) noexcept {
        swap(other);
        return *this;
    }
    ~buffer() { release(); }

    explicit operator bool() const { return block_ != nullptr; }
    std::string_view data() const { return {block_ + begin_, end_ - begin_}; }
    std::size_t size() const { return end_ - begin_; }
    std::size_t capacity() const { return capacity_; }
    char* mutable_data() { return block_ + begin_; }
    // Where more bytes may be written; commit() tells how many were.
    std::span<char> space() { return {block_ + end_, capacity_ - end_}; }
    void commit(std::size_t n) { end_ += n; }
    void consume(std::size_t n);  // from the front
    void clear() { begin_ = end_ = 0; }
    // Moves the bytes to the front of the block, so that all free space is behind them.
    void compact();
    // Makes room for `n` bytes behind the ones here, in a larger block if need be; a block must have been
    // borrowed. False: over budget.
    bool reserve(std::size_t n);
    // Gives the block back to its pool.
    void release();

private:
    friend class buffer_pool;
    void swap(buffer& other) noexcept;
    buffer_pool* pool_ = nullptr;
    char* block_ = nullptr;
    std::size_t capacity_ = 0, begin_ = 0, end_ = 0;
};

// One per worker; not thread-safe. Outlives its buffers.
class buffer_pool {
public:
    static constexpr std::size_t smallest = 16 * 1024;
    static constexpr std::size_t largest = 512u << 20;

    explicit buffer_pool(byte_budget& budget) : budget_(budget) {}
    ~buffer_pool();
    buffer_pool(const buffer_pool&) = delete;
    buffer_pool& operator=(const buffer_pool&) = delete;

    // At least `bytes` of room. Nothing when the budget is used up, or for more than `largest`.
    buffer acquire(std::size_t bytes = smallest);
    std::int64_t in_use() const { return in_use_.load(std::memory_order_relaxed); }  // any thread
    // Frees what is kept for reuse and gives the unused part of the lease back: called when the worker is idle.
    void trim();

private:
    friend class buffer;
    static constexpr std::size_t classes = 16;  // 16 KiB ... 512 MiB
    static constexpr std::size_t kept_bytes_max = 32u << 20;
    // Taken from the shared budget at a time. At most twice as much lies idle with a worker, where the others
    // cannot have it.
    static constexpr std::int64_t lease = 256 << 10;
    bool charge(std::size_t n);
    void give_back(char* block, std::size_t capacity);

    byte_budget& budget_;
    std::int64_t allowance_ = 0;  // leased from the budget and not in use
    std::atomic<std::int64_t> in_use_{0};
    std::size_t kept_bytes_ = 0;
    std::vector<char*> free_[classes];
};

}  // namespace sluice::net
