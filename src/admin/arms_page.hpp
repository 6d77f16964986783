// How the arms of a model compare, as JSON.
#pragma once

#include "governance/arms/arm_board.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::admin {

// {"model":...,"arms":[{"arm","requests","errors":{...},"error_rate","left","duration_seconds":{"p50","p90"},
//  "time_to_first_token_seconds":{...},"tokens":{"input","output"},"cost_nanodollars",
//  "feedback":{"count","up","down","neutral","mean","up_share","up_share_95":[low,high]}}]}
// A figure that does not exist yet is null. Nothing without arms.
std::optional<std::string> arms_page(std::string_view model, const std::vector<arm_result>& arms);

}  // namespace sluice::admin
