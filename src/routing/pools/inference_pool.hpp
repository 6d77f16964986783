// What manifests of the Gateway API inference extension say of a pool.
//
// Read are InferencePools of inference.networking.k8s.io/v1 and of inference.networking.x-k8s.io/v1alpha2 (whose fields
// have other names), and EndpointSlices of discovery.k8s.io. Whatever else a file holds is skipped. Of an
// InferencePool the selector is not looked at: only a cluster can evaluate it.
// https://gateway-api-inference-extension.sigs.k8s.io/reference/spec
#pragma once

#include "config/load.hpp"
#include "routing/pools/pool_config.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace sluice::routing {

enum class server_protocol : std::uint8_t { http1, h2c };

struct inference_pool {
    // Its endpoint picker: a service of the pool's own namespace.
    struct picker_ref {
        std::string service;
        std::uint16_t port = 9002;
        ext_proc::failure_mode on_failure = ext_proc::failure_mode::closed;
    };
    std::string name, space;
    std::vector<std::uint16_t> ports;  // several: data-parallel ranks, each an endpoint
    server_protocol protocol = server_protocol::http1;
    std::optional<picker_ref> chosen_by;
};

struct inference_pools_load {
    std::vector<inference_pool> pools;  // all of the file
    config::load_report report;
};
inference_pools_load load_inference_pools(const std::string& path);

struct addresses_load {
    std::vector<std::string> addresses;  // of endpoints that are ready, each once
    config::load_report report;
};
// Of EndpointSlices those of endpoints whose condition `ready` is not false. Their ports are not looked at.
addresses_load load_addresses(const std::string& path);

// A pool whose manifests were read.
struct imported_pool {
    // A problem of the configuration itself: `key` is one of the pool's section.
    struct misfit {
        std::string key, message, hint;
    };
    std::vector<endpoint_config> endpoints;  // each address at each port
    bool h2c = false;                        // the servers speak HTTP/2
    std::vector<misfit> misfits;
    std::vector<config::load_report> reports;  // of the files
};
// Puts what pool.from names into the pool: its picker, its DNS name with ports. What the configuration itself says
// of these stays. Relative paths start at `folder`. Blocks on the file system.
imported_pool import_inference_pool(pool_config& pool, const std::filesystem::path& folder);

}  // namespace sluice::routing
