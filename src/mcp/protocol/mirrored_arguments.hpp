// Which arguments of a tool stand in headers too: "x-mcp-header" in its input schema (2026-07-28, "Custom Headers from
// Tool Parameters").
#pragma once

#include "mcp/protocol/request_headers.hpp"

#include <sluice/result.hpp>

#include <string_view>
#include <vector>

namespace sluice::mcp {

// `input_schema` is a validated JSON object. Error: bad_request for an annotation that is no header name, stands there
// twice (without case), is of another type than string, integer or boolean, or is not reached by properties alone; a
// tool with one must not be shown.
result<std::vector<mirrored_argument>> mirrored_arguments(std::string_view input_schema);

}  // namespace sluice::mcp
