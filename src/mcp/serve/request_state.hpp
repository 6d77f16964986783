// The state of a call that waits for answers, which its client keeps for us (2026-07-28, "Multi Round-Trip Requests"):
// sealed, and good for the caller and the very request that it was made for. Two requests that ask the same are the
// same.
#pragma once

#include "mcp/protocol/rpc.hpp"
#include "mcp/protocol/sealer.hpp"

#include <sluice/exchange.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::mcp {

std::string seal_state(const sealer& key, const rpc_message& request, const identity& caller, std::string_view state,
                       std::chrono::system_clock::time_point expires);
// Nothing when it is of another request or caller, was changed or has expired.
std::optional<std::string> open_state(const sealer& key, const rpc_message& request, const identity& caller,
                                      std::string_view sealed, std::chrono::system_clock::time_point now);

}  // namespace sluice::mcp
