// Several clusters: endpoints of a pool that are gateways with model servers of their own.
#pragma once

#include <sluice/config.hpp>

#include <chrono>
#include <string>

namespace sluice::clusters {

// Said of an endpoint, it makes it a cluster: another Sluice, or any gateway that speaks the pool's dialect and chooses
// among its own servers.
struct cluster_config {
    std::string load_path;  // of its stage `pool_load`; empty: it tells nothing of its load
    bool home = false;      // as near as the servers: chosen like one of them
    bool operator==(const cluster_config&) const = default;
};
void read(config_reader& r, cluster_config& c);

// When requests leave home.
struct spill_config {
    double home_bias = 1.2;                         // times the remote time to first token
    std::chrono::milliseconds margin{200};          // and so much on top: then the first one leaves
    std::chrono::milliseconds hold{5'000};          // for so long the plainly faster one is taken, then home again
    int hops_max = 1;                               // gateways behind each other that may send a request on
    std::chrono::milliseconds load_interval{250};   // between two looks at a cluster's load
    std::chrono::milliseconds standby_hold{5'000};  // so long an active endpoint must be ready before standbys rest
};
void read(config_reader& r, spill_config& c);

}  // namespace sluice::clusters
