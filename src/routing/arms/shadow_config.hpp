// A copy of some requests for a target whose answers nobody sees.
#pragma once

#include <sluice/config.hpp>

#include <cstdint>
#include <map>
#include <string>

namespace sluice::routing {

struct shadow_target_config {
    std::string provider;
    std::string model;                        // empty: the model's own name
    std::map<std::string, std::string> body;  // parameters set on the copy, as JSON
};
void read(config_reader& r, shadow_target_config& c);

// What the shadow may cost at most, over all workers of the process.
struct shadow_budget_config {
    std::int64_t requests_per_minute = 60;
    std::int64_t tokens_per_day = 1'000'000;  // prompt and answer; a day begins at 00:00 UTC
    int max_concurrent = 4;
};
void read(config_reader& r, shadow_budget_config& c);

struct shadow_config {
    shadow_target_config target;
    double share = 0.05;  // of the model's requests, in (0, 1]
    shadow_budget_config budget;
};
void read(config_reader& r, shadow_config& c);

}  // namespace sluice::routing
