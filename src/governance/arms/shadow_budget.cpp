#include "governance/arms/shadow_budget.hpp"

#include <algorithm>

namespace sluice {
namespace {

// 4e12 of whatever is counted; above them the low bits of the window's number, which tell it from its neighbours.
constexpr unsigned count_bits = 42;
constexpr std::uint64_t count_max = (std::uint64_t{1} << count_bits) - 1;

template <class Window>
std::uint64_t window_of(shadow_budget::wall_time now) {
    const auto number = std::chrono::floor<Window>(now.time_since_epoch()).count();
    return (static_cast<std::uint64_t>(number) << count_bits) & ~count_max;
}

// What was counted in that window; 0 when the last count was in another one.
std::uint64_t count_in(std::uint64_t word, std::uint64_t window) {
    return (word & ~count_max) == window ? word & count_max : 0;
}

// Adds, unless the count has reached `limit`.
bool add(std::atomic<std::uint64_t>& word, std::uint64_t window, std::uint64_t n, std::uint64_t limit) {
    std::uint64_t seen = word.load(std::memory_order_relaxed);
    for (;;) {
        const std::uint64_t count = count_in(seen, window);
        if (count >= limit) return false;
        const std::uint64_t fresh = window | std::min(count_max, count + n);
        if (word.compare_exchange_weak(seen, fresh, std::memory_order_relaxed)) return true;
    }
}

}  // namespace

shadow_budget::answer shadow_budget::begin(const shadow_limits& limits, wall_time now) {
    const std::uint64_t day = window_of<std::chrono::days>(now);
    if (count_in(day_.load(std::memory_order_relaxed), day) >= static_cast<std::uint64_t>(limits.tokens_per_day))
        return answer::tokens;
    if (running_.fetch_add(1, std::memory_order_relaxed) >= limits.concurrent) {
        done();
        return answer::concurrent;
    }
    const std::uint64_t minute = window_of<std::chrono::minutes>(now);
    if (!add(minute_, minute, 1, static_cast<std::uint64_t>(limits.requests_per_minute))) {
        done();
        return answer::requests;
    }
    return answer::yes;
}

void shadow_budget::used(std::int64_t tokens, wall_time now) {
    if (tokens > 0) add(day_, window_of<std::chrono::days>(now), static_cast<std::uint64_t>(tokens), count_max + 1);
}

}  // namespace sluice
