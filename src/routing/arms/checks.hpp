// What must fit together over several models: successors, drafts, arms, shadows.
#pragma once

#include "routing/routing_config.hpp"

namespace sluice::routing {

// The name that stands for the targets of a measured model that name no arm, and for its fallbacks.
inline constexpr std::string_view unnamed_arm = "none";

// Who stays with a model's target, by its configuration: problems of one model, at the section being read.
void check_arms(config_reader& r, const model_config& c);
// Of all models and providers, at the section that holds them.
void check_lives(config_reader& r, const routing_config& c);

}  // namespace sluice::routing
