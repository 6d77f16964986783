#include "net/buffer_pool.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <new>
#include <utility>

namespace sluice::net {
namespace {

std::size_t class_of(std::size_t capacity) {
    return static_cast<std::size_t>(std::countr_zero(capacity) - std::countr_zero(buffer_pool::smallest));
}

}  // namespace

void buffer::swap(buffer& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(block_, other.block_);
    std::swap(capacity_, other.capacity_);
    std::swap(begin_, other.begin_);
    std::swap(end_, other.end_);
}

void buffer::consume(std::size_t n) {
    begin_ += n;
    if (begin_ == end_) clear();
}

void buffer::compact() {
    if (begin_ == 0) return;
    std::memmove(block_, block_ + begin_, size());
    end_ -= begin_;
    begin_ = 0;
}

bool buffer::reserve(std::size_t n) {
    assert(block_ != nullptr);
    if (capacity_ - end_ >= n) return true;
    compact();
    if (capacity_ - end_ >= n) return true;
    buffer larger = pool_->acquire(size() + n);
    if (!larger) return false;
    std::memcpy(larger.block_, block_, size());
    larger.end_ = size();
    swap(larger);
    return true;
}

void buffer::release() {
    if (block_ == nullptr) return;
    pool_->give_back(std::exchange(block_, nullptr), capacity_);
    capacity_ = begin_ = end_ = 0;
}

buffer_pool::~buffer_pool() {
    trim();
}

bool buffer_pool::charge(std::size_t n) {
    const auto bytes = static_cast<std::int64_t>(n);
    if (allowance_ < bytes) {
        const std::int64_t more = std::max(lease, bytes - allowance_);
        if (budget_.take(more)) {
            allowance_ += more;
        } else if (budget_.take(bytes - allowance_)) {
            allowance_ = bytes;
        } else {
            return false;
        }
    }
    allowance_ -= bytes;
    in_use_.store(in_use_.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
    return true;
}

buffer buffer_pool::acquire(std::size_t bytes) {
    buffer b;
    if (bytes > largest) return b;
    const std::size_t capacity = std::bit_ceil(std::max(bytes, smallest));
    if (!charge(capacity)) return b;
    auto& list = free_[class_of(capacity)];
    if (!list.empty()) {
        b.block_ = list.back();
        list.pop_back();
        kept_bytes_ -= capacity;
    } else {
        b.block_ = static_cast<char*>(::operator new(capacity));
    }
    b.pool_ = this;
    b.capacity_ = capacity;
    return b;
}

void buffer_pool::give_back(char* block, std::size_t capacity) {
    const auto bytes = static_cast<std::int64_t>(capacity);
    in_use_.store(in_use_.load(std::memory_order_relaxed) - bytes, std::memory_order_relaxed);
    allowance_ += bytes;
    if (allowance_ > 2 * lease) {
        budget_.give(allowance_ - lease);
        allowance_ = lease;
    }
    if (kept_bytes_ + capacity > kept_bytes_max) {
        ::operator delete(block);
        return;
    }
    kept_bytes_ += capacity;
    free_[class_of(capacity)].push_back(block);
}

void buffer_pool::trim() {
    for (auto& list : free_) {
        for (char* block : list) ::operator delete(block);
        list.clear();
    }
    kept_bytes_ = 0;
    budget_.give(std::exchange(allowance_, 0));
}

}  // namespace sluice::net
