// The headers that mirror a request's body from 2026-07-28 on, so that what stands between need not read it
// (transports/streamable-http, "Request Metadata"). We decide on the body alone and refuse what says otherwise.
#pragma once

#include "mcp/protocol/rpc.hpp"

#include <sluice/message.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sluice::mcp {

// Decodes "=?base64?...?=", takes other texts as they are. Nothing for what is neither: base64 that no encoder
// writes, or characters that no header value may hold.
std::optional<std::string> decode_header_value(std::string_view value);
// The inverse: plain where that is safe.
std::string encode_header_value(std::string_view value);

// `protocol_version` is what `_meta` says. Error: header_mismatch.
std::optional<rpc_error> check_headers(const header_list& headers, const rpc_message& request,
                                       std::string_view protocol_version);

// An argument that a tool wants to see in a header too: "x-mcp-header" in its schema.
struct mirrored_argument {
    std::string header;             // behind "Mcp-Param-"
    std::vector<std::string> path;  // keys of properties, from the root of the arguments
};
// `arguments` is a JSON object. Error: header_mismatch.
std::optional<rpc_error> check_mirrored(const header_list& headers, std::span<const mirrored_argument> mirrored,
                                        std::string_view arguments);

}  // namespace sluice::mcp
