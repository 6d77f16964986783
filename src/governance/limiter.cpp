#include "governance/limiter.hpp"

#include <algorithm>
#include <optional>

namespace sluice {
namespace {

constexpr std::int64_t debt_max = 365LL * 24 * 3600 * 1'000'000'000;  // nanoseconds

// Above 0 for every clock, since 0 stands for a slot that was never used.
std::int64_t nanoseconds_of(steady_time t) {
    return std::max<std::int64_t>(0, std::chrono::nanoseconds(t.time_since_epoch()).count()) + 1;
}

std::int64_t cost_of(std::int64_t units, std::int64_t per_unit) {
    return units > debt_max / per_unit ? debt_max : units * per_unit;
}

// The state is the theoretical arrival time in nanoseconds: when the subject has everything back. One that has
// passed is idle. Every change of a slot after a takeover at time T writes a time of at least T, and
// the state taken over lay before T: that is invariant 2 of the table.
struct gcra_policy {
    std::int64_t now;

    bool idle(subject_table::word state) const { return static_cast<std::int64_t>(state) < now; }
    subject_table::word fresh(subject_table::word) const { return 0; }
    std::int64_t arrival(subject_table::word state) const { return std::max(static_cast<std::int64_t>(state), now); }
};

struct take_policy : gcra_policy {
    std::int64_t cost, tolerance;
    std::int64_t ahead = 0;  // how far the arrival time lies ahead, before the change

    std::optional<subject_table::word> change(subject_table::word state) {
        ahead = arrival(state) - now;
        if (ahead > tolerance - cost) return std::nullopt;
        return static_cast<subject_table::word>(now + ahead + cost);
    }
};

struct give_back_policy : gcra_policy {
    std::int64_t cost;

    std::optional<subject_table::word> change(subject_table::word state) {
        const auto at = static_cast<std::int64_t>(state);
        if (at <= now) return std::nullopt;  // time has given it back already
        return static_cast<subject_table::word>(std::max(at - cost, now));
    }
};

struct charge_policy : gcra_policy {
    std::int64_t cost;

    std::optional<subject_table::word> change(subject_table::word state) {
        return static_cast<subject_table::word>(std::min(arrival(state) + cost, now + debt_max));
    }
};

// The state is a count in the low half. The high half changes with every takeover: invariant 2 of the table.
struct place_policy {
    static constexpr subject_table::word count_mask = 0xffff'ffff;
    std::uint32_t places;

    bool idle(subject_table::word state) const { return (state & count_mask) == 0; }
    subject_table::word fresh(subject_table::word state) const { return ((state >> 32) + 1) << 32; }
    std::optional<subject_table::word> change(subject_table::word state) const {
        if ((state & count_mask) >= places) return std::nullopt;
        return state + 1;
    }
};

}  // namespace

rate::rate(std::int64_t limit, std::chrono::nanoseconds period, std::int64_t burst)
    : limit_(std::clamp<std::int64_t>(limit, 1, limit_max)),
      burst_(burst > 0 ? std::min(burst, limit_max) : limit_),
      per_unit_(std::max<std::int64_t>(1, (period.count() + limit_ - 1) / limit_)),
      tolerance_(cost_of(burst_, per_unit_)) {}

rate_limiter::decision rate_limiter::take(std::uint64_t subject, std::int64_t units, const rate& r, steady_time now) {
    const std::int64_t cost = cost_of(std::max<std::int64_t>(0, units), r.per_unit_);
    take_policy policy{{nanoseconds_of(now)}, cost, r.tolerance_};
    const auto done = table_.update(subject, policy);

    decision d;
    d.allowed = done.what == subject_table::outcome::changed;
    d.table_full = done.what == subject_table::outcome::full;
    const std::int64_t ahead = d.table_full ? 0 : policy.ahead + (d.allowed ? cost : 0);
    d.remaining = std::max<std::int64_t>(0, r.tolerance_ - ahead) / r.per_unit_;
    d.reset = std::chrono::nanoseconds(ahead);
    if (!d.allowed && !d.table_full && cost <= r.tolerance_) {
        d.retry_after = std::chrono::nanoseconds(ahead + cost - r.tolerance_);
    }
    return d;
}

void rate_limiter::give_back(std::uint64_t subject, std::int64_t units, const rate& r, steady_time now) {
    if (units <= 0) return;
    give_back_policy policy{{nanoseconds_of(now)}, cost_of(units, r.per_unit_)};
    table_.update(subject, policy);
}

void rate_limiter::charge(std::uint64_t subject, std::int64_t units, const rate& r, steady_time now) {
    if (units <= 0) return;
    charge_policy policy{{nanoseconds_of(now)}, cost_of(units, r.per_unit_)};
    table_.update(subject, policy);
}

concurrency_limiter::decision concurrency_limiter::take(std::uint64_t subject, std::uint32_t places) {
    place_policy policy{places};
    const auto done = table_.update(subject, policy);
    return {hold(done.state), done.what == subject_table::outcome::full};
}

}  // namespace sluice
