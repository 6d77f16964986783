// The Retry-After field (RFC 9110 10.2.3): seconds, or a date.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace sluice::http {

// How long to wait, counted from `now`; dates in the past are 0. Nothing for anything malformed.
// Capped at a day: no upstream may park a target for longer.
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value,
                                                           std::chrono::system_clock::time_point now);

}  // namespace sluice::http
