// From a call to the HTTP request it makes.
//
// Arguments come from a model, which may have been told what to write: they are checked against what the tool
// declares, and each one can only fill the place the definition gave it. Pure: no sockets, the clock is in the context.
#pragma once

#include "mcp/rest/definition.hpp"
#include "mcp/rest/template.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::mcp::rest {

// What goes over the wire. URL, headers and body hold credentials: log loggable() and nothing else.
struct tool_request {
    std::string method;
    std::string url;  // absolute; parse_url() takes it
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;

    std::string loggable() const;  // "GET https://host", without path, query, headers and body
};

// The arguments as an object in the order of the definition: types checked, defaults filled in. As models are sloppy,
// "5" is taken for a number, 5 for a string, "true" for a boolean and JSON text for an array or object; null is
// absent. Error: bad_request whose message a model can act on, param the argument.
result<value> read_arguments(const tool& t, std::string_view json);

// Rules: a path argument is one segment that is not empty, "." or ".."; lists in a query or form repeat their name;
// objects there are JSON; a header or cookie that is absent or empty is not sent. `args` is what read_arguments() made.
// A credential that is needed and not there is an error (credential): a call never goes out without it.
// `client_credential` is used only where the tool says passthrough. Error: bad_request for arguments, internal for a
// definition that cannot make a request.
result<tool_request> make_request(const definition& d, const tool& t, const value& args,
                                  const template_context& context, const secret& client_credential = {});

}  // namespace sluice::mcp::rest
