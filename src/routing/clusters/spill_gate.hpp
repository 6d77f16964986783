// Does a request leave home for another cluster?
//
// Home is preferred: it keeps the prompts of its conversations, and costs no transfer between regions. The gate opens
// when home is slower than the best cluster by bias and margin; while it is open the plainly faster one is taken,
// request by request, so that load leaves until both are level. It stays open for `hold` after home was last that slow.
// So the choice does not flap between the two when home is just about at the limit.
#pragma once

#include "routing/clusters/cluster_config.hpp"

namespace sluice::clusters {

// Of one worker.
class spill_gate {
public:
    explicit spill_gate(const spill_config& c) : config_(c) {}

    // Expected seconds to the first token here and there, the way included.
    bool leaves(double home_s, double remote_s, std::chrono::steady_clock::time_point now) {
        const double margin_s = std::chrono::duration<double>(config_.margin).count();
        if (home_s > config_.home_bias * remote_s + margin_s) open_until_ = now + config_.hold;
        return now < open_until_ && home_s > remote_s;
    }

private:
    const spill_config& config_;  // of the pool, which outlives it
    std::chrono::steady_clock::time_point open_until_{};
};

}  // namespace sluice::clusters
