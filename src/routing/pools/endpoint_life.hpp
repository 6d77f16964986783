// The life of one model server in a pool: which state it is in, and how much traffic that means. Pure; the clock comes
// from outside. Not thread-safe: its pool guards it.
//
//            check ok                   checks fail                 for failed_after
//   pending ----------> ready <------------------------> not_ready -----------------> failed
//                         |    checks ok          (check ok from either leads back)
//        drain(), offline() from any of these;  online() leads back to pending
//   draining ---- nothing under way, or timeout ----> offline
//
// Only ready servers get traffic, unless so few are ready that the pool panics (endpoint_pool). A server that is
// asleep, loads its weights or lacks the model fails its check like one that does not answer.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::routing {

enum class endpoint_phase : std::uint8_t { pending, ready, not_ready, failed, draining, offline };
inline constexpr std::size_t endpoint_phases = 6;
std::string_view to_string(endpoint_phase p);
std::optional<endpoint_phase> phase_of(std::string_view name);

struct life_rules {
    bool checked = true;  // false: nobody checks; a server is ready when it is known
    int unhealthy_after = 3;
    int healthy_after = 1;
    std::chrono::milliseconds failed_after{60000};
    std::chrono::milliseconds slow_start{30000};
};

class endpoint_life {
public:
    using time_point = std::chrono::steady_clock::time_point;

    endpoint_life(const life_rules& rules, time_point now);

    endpoint_phase phase() const { return phase_; }
    // Was it taken out by hand?
    bool withdrawn() const { return phase_ == endpoint_phase::draining || phase_ == endpoint_phase::offline; }
    time_point since() const { return since_; }
    // Share of its traffic, 0 to 1: below 1 while it warms up. Of a server that is not ready 1, too: whether it is used
    // then is the pool's decision.
    double ramp(time_point now) const;

    void set_rules(const life_rules& rules, time_point now);
    // True: its phase, or the traffic that means, has changed.
    bool checked(bool well, time_point now);
    bool drain(std::chrono::milliseconds timeout, time_point now);
    bool offline(time_point now);
    bool online(time_point now);
    // Time passed; `inflight`: requests of ours that are still under way there.
    bool tick(std::int64_t inflight, time_point now);

private:
    void enter(endpoint_phase p, time_point now);

    life_rules rules_;
    endpoint_phase phase_ = endpoint_phase::pending;
    time_point since_;
    time_point drain_until_{};
    std::optional<time_point> warm_from_;  // warming up
    int good_ = 0, bad_ = 0;               // checks in a row
};

}  // namespace sluice::routing
