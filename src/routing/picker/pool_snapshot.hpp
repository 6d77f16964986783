// The endpoints of a pool at one moment: built by whoever watches them, immutable, swapped whole. A pick reads one
// snapshot from beginning to end; the caller keeps it alive meanwhile.
#pragma once

#include "routing/picker/rates.hpp"
#include "routing/picker/request_features.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sluice::picker {

using steady_time = std::chrono::steady_clock::time_point;

inline double seconds_between(steady_time from, steady_time to) {
    return std::chrono::duration<double>(to - from).count();
}

struct pool_endpoint {
    std::string id = {};
    // Where the picker keeps what it learns of this endpoint, below endpoint_picker's number of slots. Stable while the
    // endpoint exists; before another one gets the slot, endpoint_picker::reset(slot) must be called.
    std::uint32_t slot = 0;
    // 1: takes its share. Less: it warms up, and its requests in flight are kept below that part of what the others
    // have. 0: gets nothing (draining, not ready, ejected).
    double weight = 1;
    double rtt_s = 0;                   // to a remote cluster
    std::int64_t kv_tokens = 300'000;   // room for attention state; from the engine's block geometry
    std::int64_t context_max = 0;       // tokens of prompt and answer; 0: unknown
    std::int64_t concurrency_max = 0;   // requests of ours in flight; 0: no limit
    capability can = capability::none;  // what it can beyond text
    // LoRA adapters by name_hash: those it can serve, and of them those in its memory now.
    bool any_adapter = false;  // it fetches adapters that are not among the known ones
    std::vector<std::uint64_t> adapters_known = {}, adapters_active = {};
    std::int64_t adapter_slots_free = 0;
};

struct pool_snapshot {
    std::vector<pool_endpoint> endpoints;  // in any order; slots differ
};

// What an endpoint said of itself, polled or in a response header. What it did not say is negative.
struct polled_metrics {
    double kv_use = -1;  // 0 to 1
    std::int64_t running = -1, waiting = -1;
};

}  // namespace sluice::picker
