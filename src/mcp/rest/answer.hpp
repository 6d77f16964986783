// From what the service answered to the result of the tool call.
#pragma once

#include "mcp/rest/definition.hpp"
#include "mcp/rest/template.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::mcp::rest {

struct service_answer {
    int status = 0;
    std::string_view content_type;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string_view body;
};

struct tool_result {
    // CallToolResult of MCP: {"content":[{"type":"text","text":...}],"structuredContent":...,"isError":true}
    std::string json;
    bool is_error = false;
};

// 2xx: the response template over the JSON body (.args are the call's, unless the answer has a member of that name),
// or the body between prepend and append; images as image content; nothing as "success". With an output schema the
// body is also structuredContent, when it is an object. Other statuses: errorResponseTemplate, which also sees
// ._headers with ":status" and the fields in lower case, else status and body. What fails here is an error result
// too: a model can read it. Text over context.limits.output_bytes_max is cut between characters, and says so.
tool_result make_result(const tool& t, const value& args, const template_context& context,
                        const service_answer& answer);

// Of a tool without a request: its response template over {config, args}.
tool_result direct_result(const definition& d, const tool& t, const value& args, const template_context& context);

}  // namespace sluice::mcp::rest
