// What a run came to, in the figures that are compared.
#pragma once

#include "picker/fleet.hpp"

#include <functional>

namespace sluice::picker_bench {

// Of the measured requests. Times in seconds from sending.
struct summary {
    std::size_t requests = 0;
    std::size_t dropped = 0;                           // of them; they count in no other figure
    double ttft_mean = 0, ttft_p50 = 0, ttft_p99 = 0;  // to the first token
    double e2e_mean = 0;                               // to the last
    double tokens_per_s = 0;                           // of output, from the first request sent to the last one done
    double hit_rate = 0;                               // part of the prompts' tokens that was found in a cache
    double preemptions = 0;                            // of the whole run
};

summary summarise(const workload& w, const run_result& r);
// Of those of one priority or one tenant alone.
summary summarise(const workload& w, const run_result& r, const std::function<bool(const request&)>& counts);
// The mean of each figure over runs, percentiles too.
summary mean_of(std::span<const summary> runs);

}  // namespace sluice::picker_bench
