// What one request has taken from its limits, until it is known what it used.
#pragma once

#include "stages/quota/limit_headers.hpp"
#include "stages/quota/quota_rule.hpp"
#include "stages/quota/token_estimate.hpp"

#include <sluice/services.hpp>

#include <array>
#include <cstddef>
#include <optional>

namespace sluice::quota {

// Lives on the stage's frame. However the exchange ends, the destructor corrects the tokens to what was
// delivered and gives the places back; requests stay counted.
class admission {
public:
    // All references outlive the admission.
    admission(const exchange& x, const clock& time, const token_estimate& tokens)
        : exchange_(x), time_(time), tokens_(tokens), settled_(tokens.reserved) {}
    ~admission();
    admission(const admission&) = delete;
    admission& operator=(const admission&) = delete;

    // Takes what `rule` asks for, or returns why not; then everything taken so far, of other rules too,
    // is given back. `full` decides about subjects for whom there is no room.
    std::optional<error> take(quota_rule& rule, std::uint64_t subject, when_full full);

    // A response of a session is over, and x.usage has grown: what it used is charged now.
    void settle();
    // Is anything left for another response? Takes nothing.
    std::optional<error> left();

    // The limits closest to being used up, for the reply's headers; behind a refusal, the limit that refused.
    const limit_state& requests() const { return requests_; }
    const limit_state& tokens() const { return token_state_; }

private:
    struct taken {
        const window_limit* limit;
        std::uint64_t subject;
        std::int64_t units;
    };
    std::optional<error> take_window(quota_rule& rule, const window_limit& w, std::uint64_t subject, when_full full);
    std::optional<error> take_place(quota_rule& rule, std::uint64_t subject, when_full full);
    error refuse(quota_rule& rule, error e);

    const exchange& exchange_;
    const clock& time_;
    const token_estimate& tokens_;
    std::array<taken, windows_max> taken_;
    std::size_t taken_count_ = 0;
    std::int64_t settled_ = 0;  // tokens taken or charged so far, of each limit
    std::array<concurrency_limiter::hold, rules_max> places_;
    std::size_t places_count_ = 0;
    limit_state requests_, token_state_;
};

}  // namespace sluice::quota
