// Which waiting requests are too old, as a timing wheel: to enter and to leave are O(1), where a heap's O(log n) would
// be paid for every client that hangs up (Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", 1987, scheme 6).
//
// Deadlines are rounded up to ticks of a 500th of the longest life, 120 ms of a minute: nothing expires early, and
// nothing more than a tick late. No clock of its own; not thread-safe.
#pragma once

#include <boost/intrusive/list.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

namespace sluice::admission {

using steady_time = std::chrono::steady_clock::time_point;

using expiry_hook = boost::intrusive::list_base_hook<boost::intrusive::tag<struct expiry_tag>,
                                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
// Base of what may expire. Leaves the wheel by itself when it dies.
struct expiring : expiry_hook {
    std::int64_t expiry_tick = 0;  // the wheel's
};

class expiry_wheel {
public:
    // No life is longer than `longest`.
    explicit expiry_wheel(std::chrono::milliseconds longest)
        : tick_(std::max<std::chrono::milliseconds>(std::chrono::milliseconds(1), longest / 500)) {}

    void add(expiring& e, steady_time deadline, steady_time now) {
        if (at_ == 0) at_ = tick_of(now);
        e.expiry_tick = std::max(tick_of(deadline) + 1, at_);
        slots_[index(e.expiry_tick)].push_back(e);
    }
    static void remove(expiring& e) {
        if (e.is_linked()) e.unlink();
    }

    // One whose time is over, taken out; nullptr when there is no more.
    expiring* expired(steady_time now) {
        const std::int64_t last = tick_of(now);
        // After a pause of more than a lap one lap sees all slots.
        for (at_ = std::max(at_, last - slots + 1); at_ <= last; ++at_) {
            for (expiring& e : slots_[index(at_)]) {
                if (e.expiry_tick > last) continue;  // of a later lap
                remove(e);
                return &e;
            }
        }
        at_ = last;  // the same tick is looked at again: it may be entered once more
        return nullptr;
    }

    // When to ask again; nothing when all is empty. Walks the slots: for timers, not for every request.
    std::optional<steady_time> next() const {
        for (std::int64_t t = at_; t < at_ + slots; ++t)
            if (!slots_[index(t)].empty()) return steady_time(t * tick_);
        return std::nullopt;
    }

private:
    static constexpr std::int64_t slots = 512;  // a life of 500 ticks never meets its own tail
    using list = boost::intrusive::list<expiring, boost::intrusive::base_hook<expiry_hook>,
                                        boost::intrusive::constant_time_size<false>>;
    static std::size_t index(std::int64_t tick) { return static_cast<std::size_t>(tick & (slots - 1)); }
    std::int64_t tick_of(steady_time t) const { return t.time_since_epoch() / tick_; }

    const std::chrono::nanoseconds tick_;
    std::int64_t at_ = 0;  // the first tick not yet over; 0 before the first entry
    std::array<list, slots> slots_;
};

}  // namespace sluice::admission
