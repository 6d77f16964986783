// Which version of the gateway this is, wherever it says so.
#pragma once

#include <string_view>

namespace sluice {

inline constexpr std::string_view gateway_version = "0.1.0";

}  // namespace sluice
