#include "governance/arms/recent_requests.hpp"

#include <algorithm>
#include <bit>

namespace sluice {
namespace {

constexpr unsigned number_at = 38, arm_at = 22;
constexpr std::uint64_t judged_bit = 1u << 21, score_mask = judged_bit - 1;
constexpr std::int32_t score_zero = 1'000'000;
constexpr std::uint64_t numbers = std::uint64_t{1} << (64 - number_at);

std::uint64_t number_of(std::uint64_t value) {
    return value >> number_at;
}

std::uint16_t arm_of(std::uint64_t value) {
    return static_cast<std::uint16_t>(value >> arm_at);
}

std::optional<std::int32_t> score_of(std::uint64_t value) {
    if ((value & judged_bit) == 0) return std::nullopt;
    return static_cast<std::int32_t>(value & score_mask) - score_zero;
}

// 0 marks an empty entry.
std::uint64_t key_of(std::uint64_t hash) {
    return hash == 0 ? 1 : hash;
}

}  // namespace

recent_requests::recent_requests(std::size_t entries_per_shard)
    : entries_(std::bit_ceil(std::max<std::size_t>(entries_per_shard, shard::ways))) {}

recent_requests::~recent_requests() {
    for (std::size_t i = 0; i < shards_n_.load(); ++i) delete shards_[i].load();
}

recent_requests::shard* recent_requests::of(const void* worker) {
    const std::lock_guard lock(mutex_);
    const auto known = std::find(workers_.begin(), workers_.end(), worker);
    if (known != workers_.end()) return shards_[static_cast<std::size_t>(known - workers_.begin())].load();
    if (workers_.size() == shards_max) return nullptr;
    auto made = std::make_unique<shard>(entries_);
    workers_.push_back(worker);
    shard* const raw = made.release();
    shards_[workers_.size() - 1].store(raw);
    shards_n_.store(workers_.size(), std::memory_order_release);
    return raw;
}

void recent_requests::shard::put(std::uint64_t hash, std::uint16_t arm) {
    const std::uint64_t key = key_of(hash);
    const std::size_t set = key & mask_ & ~(ways - 1);
    // Its own entry, else an empty one, else the oldest: the one furthest behind the next number.
    entry* to = nullptr;
    std::uint64_t oldest = 0;
    for (std::size_t i = set; i < set + ways; ++i) {
        entry& e = entries_[i];
        const std::uint64_t there = e.key.load(std::memory_order_relaxed);
        if (there == key) {
            to = &e;
            break;
        }
        const std::uint64_t value = e.value.load(std::memory_order_relaxed);
        const std::uint64_t age = there == 0 ? numbers : (written_ - number_of(value)) & (numbers - 1);
        if (to == nullptr || age > oldest) {
            to = &e;
            oldest = age;
        }
    }
    const std::uint64_t number = ++written_ & (numbers - 1);
    to->key.store(0, std::memory_order_relaxed);
    // Releases the zero: who reads this value does not read the old key behind it.
    to->value.store(number << number_at | std::uint64_t{arm} << arm_at, std::memory_order_release);
    to->key.store(key, std::memory_order_release);
}

recent_requests::entry* recent_requests::place_of(std::uint64_t hash, std::uint64_t& value) const {
    const std::uint64_t key = key_of(hash);
    const std::size_t shards = shards_n_.load(std::memory_order_acquire);
    for (std::size_t s = 0; s < shards; ++s) {
        shard& in = *shards_[s].load(std::memory_order_acquire);
        const std::size_t set = key & in.mask_ & ~(shard::ways - 1);
        for (std::size_t i = set; i < set + shard::ways; ++i) {
            entry& e = in.entries_[i];
            if (e.key.load(std::memory_order_acquire) != key) continue;
            value = e.value.load(std::memory_order_acquire);
            if (e.key.load(std::memory_order_relaxed) == key) return &e;
        }
    }
    return nullptr;
}

std::optional<std::uint16_t> recent_requests::find(std::uint64_t hash) const {
    std::uint64_t value = 0;
    if (place_of(hash, value) == nullptr) return std::nullopt;
    return arm_of(value);
}

std::optional<recent_requests::judged> recent_requests::judge(std::uint64_t hash, std::int32_t score) {
    const auto offset = static_cast<std::uint64_t>(std::clamp(score, -score_zero, score_zero) + score_zero);
    for (;;) {
        std::uint64_t value = 0;
        entry* const e = place_of(hash, value);
        if (e == nullptr) return std::nullopt;
        const std::uint64_t fresh = (value & ~(judged_bit | score_mask)) | judged_bit | offset;
        // Fails where another judgement or the entry's replacement came first: look again.
        if (e->value.compare_exchange_strong(value, fresh, std::memory_order_acq_rel))
            return judged{arm_of(value), score_of(value)};
    }
}

}  // namespace sluice
