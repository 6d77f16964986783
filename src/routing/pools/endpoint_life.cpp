#include "routing/pools/endpoint_life.hpp"

#include <algorithm>
#include <array>

namespace sluice::routing {
namespace {

constexpr std::array<std::string_view, endpoint_phases> names{"pending", "ready",    "not_ready",
                                                              "failed",  "draining", "offline"};
constexpr double least_ramp = 0.1;  // of a cold server: some traffic must come, or it stays cold

}  // namespace

std::string_view to_string(endpoint_phase p) {
    return names[static_cast<std::size_t>(p)];
}

std::optional<endpoint_phase> phase_of(std::string_view name) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return std::nullopt;
    return static_cast<endpoint_phase>(found - names.begin());
}

endpoint_life::endpoint_life(const life_rules& rules, time_point now) : rules_(rules), since_(now) {
    if (!rules.checked) phase_ = endpoint_phase::ready;
}

void endpoint_life::enter(endpoint_phase p, time_point now) {
    phase_ = p;
    since_ = now;
    good_ = bad_ = 0;
}

void endpoint_life::set_rules(const life_rules& rules, time_point now) {
    rules_ = rules;
    if (!rules_.checked && !withdrawn() && phase_ != endpoint_phase::ready) enter(endpoint_phase::ready, now);
}

double endpoint_life::ramp(time_point now) const {
    if (!warm_from_) return 1;
    const double passed = std::chrono::duration<double>(now - *warm_from_).count();
    const double whole = std::chrono::duration<double>(rules_.slow_start).count();
    return std::clamp(passed / whole, least_ramp, 1.0);
}

bool endpoint_life::checked(bool well, time_point now) {
    if (withdrawn() || !rules_.checked) return false;
    good_ = well ? good_ + 1 : 0;
    bad_ = well ? 0 : bad_ + 1;
    if (well && phase_ != endpoint_phase::ready && good_ >= rules_.healthy_after) {
        // What was ready when the gateway came to know it is warm; what comes back, or came up later, is not. Which of
        // the two a first good check means, nobody can tell: the first one of all is taken for warm.
        const bool cold = phase_ != endpoint_phase::pending && rules_.slow_start.count() > 0;
        enter(endpoint_phase::ready, now);
        warm_from_ = cold ? std::optional(now) : std::nullopt;
        return true;
    }
    if (!well && (phase_ == endpoint_phase::ready || phase_ == endpoint_phase::pending) &&
        bad_ >= rules_.unhealthy_after) {
        enter(endpoint_phase::not_ready, now);
        return true;
    }
    return false;
}

bool endpoint_life::drain(std::chrono::milliseconds timeout, time_point now) {
    if (withdrawn()) return false;
    enter(endpoint_phase::draining, now);
    drain_until_ = now + timeout;
    return true;
}

bool endpoint_life::offline(time_point now) {
    if (phase_ == endpoint_phase::offline) return false;
    enter(endpoint_phase::offline, now);
    return true;
}

bool endpoint_life::online(time_point now) {
    if (!withdrawn()) return false;
    enter(rules_.checked ? endpoint_phase::pending : endpoint_phase::ready, now);
    warm_from_.reset();
    return true;
}

bool endpoint_life::tick(std::int64_t inflight, time_point now) {
    if (phase_ == endpoint_phase::draining && (inflight <= 0 || now >= drain_until_)) {
        enter(endpoint_phase::offline, now);
        return true;
    }
    if (phase_ == endpoint_phase::not_ready && now - since_ >= rules_.failed_after) {
        enter(endpoint_phase::failed, now);
        return true;
    }
    if (phase_ == endpoint_phase::ready && warm_from_) {
        if (ramp(now) >= 1) warm_from_.reset();
        return true;
    }
    return false;
}

}  // namespace sluice::routing
