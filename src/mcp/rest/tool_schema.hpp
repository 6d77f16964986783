// How a tool shows itself to a client: name, schemas, annotations.
#pragma once

#include "mcp/rest/definition.hpp"

#include <string>

namespace sluice::mcp::rest {

// JSON Schema of the arguments. "required: true" on a property, which these files write within properties, becomes
// the list that JSON Schema asks for.
std::string input_schema(const tool& t);

// The entry of tools/list: {"name","description","inputSchema","outputSchema"?,"annotations"}. readOnlyHint for GET and
// HEAD and for tools that answer by themselves, destructiveHint for DELETE, idempotentHint for GET, HEAD, PUT, DELETE.
std::string tool_json(const tool& t);

}  // namespace sluice::mcp::rest
