// What an MCP endpoint reads of a request's head and writes into a reply's.
#pragma once

#include "mcp/protocol/rpc.hpp"
#include "mcp/protocol/version.hpp"
#include "stages/mcp/mcp_stage_config.hpp"

#include <sluice/exchange.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace sluice::mcp_endpoint {

struct accepted_types {
    bool json = true, sse = true;
};
// Without the header: everything.
accepted_types accepted(const header_list& headers);

bool is_json(const header_list& headers);  // by Content-Type

// May this request come in by its Host and Origin? Against pages that make a browser call a local address under a name
// of their own (DNS rebinding).
bool host_and_origin_fit(const exchange& x, const mcp_stage_config& c);

// The status of an answer with this error, from 2026-07-28 on.
int status_for(int rpc_error_code);

response_head stream_head();

// "3-17.4": message 4 of stream 3-17.
std::string event_id(std::string_view stream, std::size_t message);
struct event_place {
    std::string stream;
    std::size_t message = 0;
};
std::optional<event_place> parse_event_id(std::string_view id);

}  // namespace sluice::mcp_endpoint
