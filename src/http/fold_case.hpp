// Field names as JSON readers that ignore case compare them (Go's encoding/json is one).
#pragma once

#include <string>
#include <string_view>

namespace sluice::http {

// Lower case as JSON readers that ignore case fold: ASCII, and the two other letters of Unicode that fold to ASCII.
void fold_case(std::string_view name, std::string& out);

}  // namespace sluice::http
