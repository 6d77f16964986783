// Go's printf for templates: %s %v %d %q %t %x %X %f %e %g %c %% with flags (- + 0 and space), width and precision.
#pragma once

#include "mcp/rest/value.hpp"

#include <span>

namespace sluice::mcp::rest {

// What does not fit is said in the text as Go says it: %!d(string), %!s(MISSING). Width and precision are at most
// 1000. Error: payload_too_large behind bytes_max.
result<std::string> format_go(std::string_view format, std::span<const value> args, std::size_t bytes_max);

}  // namespace sluice::mcp::rest
