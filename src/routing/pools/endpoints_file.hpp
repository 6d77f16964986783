// The file of a pool's endpoints: a list under `endpoints:`, as in the pool itself.
#pragma once

#include "config/load.hpp"
#include "routing/pools/pool_config.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace sluice::routing {

struct endpoints_load {
    std::vector<endpoint_config> endpoints;
    config::load_report report;
};

// A relative path starts at `folder`. Blocks on the file system.
endpoints_load load_endpoints(const std::string& file, const std::filesystem::path& folder);

}  // namespace sluice::routing
