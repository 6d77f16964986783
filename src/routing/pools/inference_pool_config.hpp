// A pool that an InferencePool of the Gateway API inference extension describes, as the configuration refers to it.
#pragma once

#include <sluice/config.hpp>

#include <string>
#include <vector>

namespace sluice::routing {

struct inference_pool_config {
    std::string file;   // manifests; a relative path starts at the configuration's folder
    std::string name;   // of the InferencePool; empty: the only one of the file
    std::string space;  // its namespace; empty: any
    // Where the pods are: the manifest's selector needs a cluster to be evaluated. Without ports: those are the
    // manifest's, and each address is an endpoint at each of them.
    std::vector<std::string> addresses;
    std::string addresses_file;  // EndpointSlices, or a list `addresses`
    std::string dns;             // a name that has them as its addresses
    bool ask_picker = true;      // false: the pool's own balancer chooses, whomever the manifest names
};
void read(config_reader& r, inference_pool_config& c);

}  // namespace sluice::routing
