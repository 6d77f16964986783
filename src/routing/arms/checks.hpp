// What must fit together over several models: successors, drafts, arms, shadows.
#pragma once

#include "routing/routing_config.hpp"

namespace sluice::routing {

// The name that stands for the targets of a measured model that name no arm, and for its fallbacks.
inline constexpr std::string_view unnamed_arm = "none";

// Of one model, at its own section: names of arms, who stays with them, and what its state needs of that.
void check_arms(config_reader& r, const model_config& c);
// Of all models and providers, at the section that holds them.
void check_lives(config_reader& r, const routing_config& c);

}  // namespace sluice::routing
