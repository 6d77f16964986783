// Endpoints of pools as JSON of the admin API.
#pragma once

#include "routing/pools/endpoint_pool.hpp"

#include <sluice/json.hpp>
#include <sluice/result.hpp>

#include <memory>
#include <string>
#include <vector>

namespace sluice::admin {

std::string write_pools(const std::vector<std::shared_ptr<routing::endpoint_pool>>& pools);
std::string write_endpoints(const std::vector<routing::endpoint_info>& all);
// `kept`: does the change that made it so outlive the process? Nothing: there was no change.
std::string write_endpoint(const routing::endpoint_info& e, std::optional<bool> kept = std::nullopt);

// Lays the fields of a body over `e`. Error: bad_request whose param is the field.
result<void> read_endpoint(const json_object& body, routing::endpoint_config& e);

}  // namespace sluice::admin
