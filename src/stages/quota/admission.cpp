#include "stages/quota/admission.hpp"

#include <string>

namespace sluice::quota {
namespace {

constexpr std::chrono::seconds retry_soon{1};  // when nobody knows when it gets better

error no_room() {
    error e{error_kind::rate_limited, "Too many callers at the same time. Try again later."};
    e.retry_after = retry_soon;
    return e;
}

error too_large(const window_limit& w, std::int64_t units) {
    return error{error_kind::rate_limited,
                 "The request is too large: it needs " + std::to_string(units) + " of " + w.text + "."};
}

error over_limit(const window_limit& w, std::chrono::nanoseconds retry_after) {
    error e{error_kind::rate_limited, "Rate limit reached: " + w.text + "."};
    e.retry_after = std::chrono::ceil<std::chrono::milliseconds>(retry_after);
    return e;
}

void keep_closest(limit_state& shown, const window_limit& w, const rate_limiter::decision& d) {
    if (shown.known && shown.remaining <= d.remaining) return;
    shown = {true, w.rate.limit(), d.remaining, d.reset};
}

}  // namespace

admission::~admission() {
    settle();
}

void admission::settle() {
    if (taken_count_ == 0) return;
    const std::int64_t used = used_tokens(exchange_, tokens_);
    const std::int64_t more = used - settled_;
    if (more == 0) return;
    settled_ = used;
    const auto now = time_.recent();
    for (std::size_t i = 0; i < taken_count_; ++i) {
        const taken& t = taken_[i];
        if (t.limit->counts != unit::tokens) continue;
        if (more > 0) {
            t.limit->limiter->charge(t.subject, more, t.limit->rate, now);
        } else {
            t.limit->limiter->give_back(t.subject, -more, t.limit->rate, now);
        }
    }
}

std::optional<error> admission::left() {
    const auto now = time_.recent();
    for (std::size_t i = 0; i < taken_count_; ++i) {
        const taken& t = taken_[i];
        if (t.limit->counts != unit::tokens) continue;
        const auto decision = t.limit->limiter->take(t.subject, 1, t.limit->rate, now);
        if (decision.allowed) {
            t.limit->limiter->give_back(t.subject, 1, t.limit->rate, now);
        } else if (!decision.table_full) {
            return over_limit(*t.limit, decision.retry_after);
        }
    }
    return std::nullopt;
}

std::optional<error> admission::take(quota_rule& rule, std::uint64_t subject, when_full full) {
    for (const window_limit& w : rule.windows()) {
        if (auto refused = take_window(rule, w, subject, full)) return refused;
    }
    if (rule.places() != nullptr) {
        if (auto refused = take_place(rule, subject, full)) return refused;
    }
    rule.allowed.add();
    return std::nullopt;
}

std::optional<error> admission::take_window(quota_rule& rule, const window_limit& w, std::uint64_t subject,
                                            when_full full) {
    const std::int64_t units = w.counts == unit::requests ? 1 : tokens_.reserved;
    const auto decision = w.limiter->take(subject, units, w.rate, time_.recent());
    if (decision.allowed) {
        taken_[taken_count_++] = {&w, subject, units};
        keep_closest(w.counts == unit::requests ? requests_ : token_state_, w, decision);
        return std::nullopt;
    }
    if (decision.table_full) {
        rule.table_full.add();
        if (full == when_full::allow) return std::nullopt;
        return refuse(rule, no_room());
    }
    // The limit that refuses is the one that the refusal's headers show.
    (w.counts == unit::requests ? requests_ : token_state_) = {true, w.rate.limit(), decision.remaining,
                                                               decision.reset};
    if (decision.retry_after.count() == 0) return refuse(rule, too_large(w, units));
    return refuse(rule, over_limit(w, decision.retry_after));
}

std::optional<error> admission::take_place(quota_rule& rule, std::uint64_t subject, when_full full) {
    auto decision = rule.places()->take(subject, rule.places_max());
    if (decision.place) {
        places_[places_count_++] = std::move(decision.place);
        return std::nullopt;
    }
    if (decision.table_full) {
        rule.table_full.add();
        if (full == when_full::allow) return std::nullopt;
        return refuse(rule, no_room());
    }
    error e{error_kind::rate_limited,
            "Rate limit reached: " + std::to_string(rule.places_max()) + " requests at the same time."};
    e.retry_after = retry_soon;
    return refuse(rule, std::move(e));
}

error admission::refuse(quota_rule& rule, error e) {
    rule.refused.add();
    const auto now = time_.recent();
    for (std::size_t i = 0; i < taken_count_; ++i) {
        taken_[i].limit->limiter->give_back(taken_[i].subject, taken_[i].units, taken_[i].limit->rate, now);
    }
    taken_count_ = 0;
    for (std::size_t i = 0; i < places_count_; ++i) places_[i] = {};
    places_count_ = 0;
    return e;
}

}  // namespace sluice::quota
