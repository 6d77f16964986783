// Limits: how much per time (GCRA) and how many at once.
//
// Both limiters are thread-safe, shared by all workers, bounded in memory and exact: under any interleaving no
// more is admitted than the limit allows. Time is handed in from a steady clock, so windows survive
// jumps of the wall clock. Subjects are keyed hashes (siphash.hpp).
#pragma once

#include "governance/subject_table.hpp"

#include <chrono>
#include <cstdint>
#include <utility>

namespace sluice {

using steady_time = std::chrono::steady_clock::time_point;

// `limit` units per `period`, of which `burst` may come at once; they come back evenly. The generic cell rate
// algorithm (ITU-T I.371): a subject's whole state is the time at which it will have everything back.
class rate {
public:
    static constexpr std::int64_t limit_max = 1'000'000'000;

    // 1 <= limit, burst <= limit_max; burst 0 means the limit itself. The time per unit is rounded up to whole
    // nanoseconds: never more than the limit. A limit above one unit per nanosecond is cut to that.
    rate(std::int64_t limit, std::chrono::nanoseconds period, std::int64_t burst = 0);

    std::int64_t limit() const { return limit_; }
    std::int64_t burst() const { return burst_; }
    std::chrono::nanoseconds per_unit() const { return std::chrono::nanoseconds(per_unit_); }

private:
    friend class rate_limiter;
    std::int64_t limit_, burst_;
    std::int64_t per_unit_;   // nanoseconds
    std::int64_t tolerance_;  // burst in nanoseconds
};

class rate_limiter {
public:
    explicit rate_limiter(std::size_t subjects) : table_(subjects) {}

    struct decision {
        bool allowed = false;
        bool table_full = false;                  // not counted: there was no room for the subject
        std::int64_t remaining = 0;               // units that could be taken right now
        std::chrono::nanoseconds reset{0};        // until everything is back
        std::chrono::nanoseconds retry_after{0};  // when refused: until the same would be allowed; 0: never
    };
    // Takes `units` (>= 0) if the subject has them; else takes nothing. More than the burst is never allowed.
    decision take(std::uint64_t subject, std::int64_t units, const rate& r, steady_time now);
    // Returns units taken before. What time has given back already is not given twice.
    void give_back(std::uint64_t subject, std::int64_t units, const rate& r, steady_time now);
    // Takes units that were already used, allowed or not: the debt delays what comes next. At most a year's.
    void charge(std::uint64_t subject, std::int64_t units, const rate& r, steady_time now);

private:
    subject_table table_;
};

class concurrency_limiter {
public:
    explicit concurrency_limiter(std::size_t subjects) : table_(subjects) {}

    // One place, given back when the hold dies. Must not outlive the limiter.
    class hold {
    public:
        hold() = default;
        hold(hold&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
        hold& operator=(hold&& other) noexcept {
            std::swap(state_, other.state_);
            return *this;
        }
        ~hold() {
            if (state_ != nullptr) state_->fetch_sub(1, std::memory_order_acq_rel);
        }
        explicit operator bool() const { return state_ != nullptr; }

    private:
        friend class concurrency_limiter;
        explicit hold(std::atomic<subject_table::word>* state) : state_(state) {}
        std::atomic<subject_table::word>* state_ = nullptr;
    };

    struct decision {
        hold place;  // empty when refused
        bool table_full = false;
    };
    // 1 <= places < 2^32 - 1.
    decision take(std::uint64_t subject, std::uint32_t places);

private:
    subject_table table_;
};

}  // namespace sluice
