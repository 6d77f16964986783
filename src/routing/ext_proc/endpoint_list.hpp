// The ordered list of endpoints that a picker names.
#pragma once

#include <sluice/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sluice::ext_proc {

// "10.0.0.1:8000, [fd00::1]:8000" as its parts: address literals with a port, without duplicates, in order. Never a
// name: a processor must not make the gateway ask a resolver. Error: upstream_protocol for an empty list, a part that
// is no ip:port, or more than `endpoints_max` parts.
result<std::vector<std::string>> parse_endpoint_list(std::string_view text, std::size_t endpoints_max);

}  // namespace sluice::ext_proc
