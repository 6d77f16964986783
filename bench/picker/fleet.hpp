// A fleet of simulated model servers behind a policy, as discrete events: an hour of traffic takes a second.
//
// Each endpoint is an engine of sluice-sim (sim/engine.hpp: continuous batching, chunked prefill, paged prefix cache,
// preemption, LoRA slots). The gateway and the network take no time. A run is a function of its arguments and nothing
// else.
#pragma once

#include "picker/policy.hpp"
#include "picker/workload.hpp"
#include "sim/engine.hpp"

#include <span>
#include <vector>

namespace sluice::picker_bench {

struct endpoint_plan {
    sim::engine_profile engine;
    double ready_from_s = 0;  // it starts cold then; before, nobody may choose it
    // From here on it gets no requests, ends those it has, is killed after `grace_s` at the latest, and comes back
    // with an empty memory after another `down_s`. Negative: never.
    double restart_at_s = -1;
    double grace_s = 10;
    double down_s = 20;
};

struct fleet_plan {
    std::vector<endpoint_plan> endpoints;
    double poll_interval_s = 0.05;
};

// `count` endpoints of the engine that all published figures are of: 32B model on two H100, 300k tokens of memory.
fleet_plan usual_fleet(std::size_t count = 8, std::size_t kv_tokens = 300'000);
sim::engine_profile slower(sim::engine_profile engine, double factor);

// What became of one request, in seconds since the start of the run.
struct outcome {
    double sent_s = -1, first_token_s = -1, done_s = -1;
    std::uint32_t endpoint = 0;       // of the last attempt
    std::uint32_t cached_tokens = 0;  // of its prompt, when it was first admitted there
    std::uint32_t attempts = 0;
    bool dropped = false;  // refused by the policy, or never sent because the turn before it was
};

struct run_result {
    std::vector<outcome> outcomes;       // one per request of the workload; all are done or dropped
    std::vector<sim::engine_load> ends;  // of each endpoint when all was done
    std::uint64_t events = 0;
};

// Serves all of the workload. Throws when a request can never fit an endpoint.
run_result run(const workload& w, const fleet_plan& fleet, policy& p);

}  // namespace sluice::picker_bench
