// The endpoints of a pool as workers see them at one moment: immutable, swapped whole.
#pragma once

#include "routing/clusters/cluster_state.hpp"
#include "routing/picker/balancers.hpp"
#include "routing/picker/endpoint_picker.hpp"
#include "routing/picker/pool_snapshot.hpp"
#include "routing/upstream_state.hpp"

#include <sluice/exchange.hpp>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sluice::routing {

// What requests tell about an endpoint as they pass. Atomics; kept while the endpoint is known.
struct member_state {
    endpoint_state health;  // passive ejection
    picker::latency_ewma latency;
    clusters::cluster_state cluster;        // where it is one
    std::atomic<std::int64_t> named_at{0};  // of those that only an outside picker knows: when it last named it, ticks
};

struct pool_member {
    std::string id;
    std::uint64_t name = 0;  // picker::name_hash(id)
    std::uint32_t slot = 0;  // in the pool's picker
    upstream_endpoint address;
    std::string url;  // of the server, without the API's path
    std::map<std::string, std::string> labels;
    double weight = 1;
    bool cluster = false, remote = false;  // a gateway of its own; one that is not near
    std::string load_path;                 // of a cluster that tells its load
    std::shared_ptr<member_state> state;
};

struct pool_view {
    std::uint64_t version = 0;
    // Those that may get requests now; `picks` and `members` go by the same index.
    picker::pool_snapshot picks;
    std::vector<std::shared_ptr<const pool_member>> members;
    // Endpoints that an outside picker named and no source did: nobody else chooses them.
    std::vector<std::shared_ptr<const pool_member>> named;
    bool panic = false;  // too few are ready: these are all that were not taken out by hand
    // Names of LoRA adapters by hash that some endpoint serves: a request for such a model needs one that has it.
    std::vector<std::uint64_t> adapters;
    picker::slot_set clusters, remotes;  // of them, those that are clusters; those that are not near
    picker::slot_set standbys;           // those that rest: for requests that find no other
};

}  // namespace sluice::routing
