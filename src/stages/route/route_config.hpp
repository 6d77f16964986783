// Configuration of the stage `route`.
#pragma once

#include "governance/catalogue/model_info.hpp"

#include <sluice/config.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::route {

// What becomes of a feature that a target of another dialect cannot take.
enum class unsupported : std::uint8_t { refuse, drop };

struct route_stage_config {
    std::string model;                 // every request of the route is for this one, whatever its body says
    std::string default_provider;      // for requests that name no model: files, batches, stored responses
    std::string strip_prefix = "/v1";  // what a provider's base_url stands for
    unsupported on_unsupported = unsupported::refuse;
    std::vector<catalogue::capability> require{};  // what the catalogue must say that a target can
    bool context_check = true;                     // are prompts compared with the windows of the catalogue?
};
void read(config_reader& r, route_stage_config& c);

}  // namespace sluice::route
