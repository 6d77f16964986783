// JSON-RPC 2.0 as MCP uses it: messages read from text and written to it. Pure.
//
// Ids, parameters and results stay the bytes they came in: what a gateway passes on it must not re-serialise.
#pragma once

#include <sluice/json.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sluice::mcp {

// Codes of JSON-RPC, and those that MCP defines (basic/index, "Error Codes").
enum class rpc_code : int {
    parse_error = -32700,
    invalid_request = -32600,
    method_not_found = -32601,
    invalid_params = -32602,
    internal = -32603,
    resource_not_found = -32002,   // to 2025-11-25; later invalid_params
    url_elicitation = -32042,      // 2025-11-25 alone
    header_mismatch = -32020,      // from 2026-07-28
    missing_capability = -32021,   // from 2026-07-28; data.requiredCapabilities
    unsupported_version = -32022,  // from 2026-07-28; data.supported, data.requested
};

struct rpc_error {
    int code = static_cast<int>(rpc_code::internal);
    std::string message;
    std::string data;  // JSON; empty: none

    rpc_error() = default;
    rpc_error(rpc_code c, std::string text, std::string more = {})
        : code(static_cast<int>(c)), message(std::move(text)), data(std::move(more)) {}
    bool is(rpc_code c) const { return code == static_cast<int>(c); }
};

struct rpc_message {
    enum class kind : std::uint8_t { request, notification, response, failure };
    kind what = kind::request;
    std::string id;      // JSON, a string or an integer; of notifications empty
    std::string method;  // of requests and notifications
    std::string params;  // JSON object; empty when there are none
    std::string result;  // JSON object of a response
    rpc_error error;     // of a failure; its id may be empty
};

// What is wrong with a text that should have been a message; with its id, where that could be read.
struct bad_message {
    std::string id;
    rpc_error error;
};

inline constexpr std::size_t id_bytes_max = 256;
inline constexpr std::size_t method_bytes_max = 128;
inline constexpr std::size_t batch_max = 50;

// Duplicate members at the top and an id that is null, fractional or too long are refused.
std::variant<rpc_message, bad_message> read_message(std::string_view text);
// Is the text an array? Batches are of 2025-03-26 alone.
bool looks_like_batch(std::string_view text);
// The texts of a batch's messages. Empty when it is no array, has no elements or too many.
std::vector<std::string_view> batch_messages(std::string_view text);

void append_result(std::string& out, std::string_view id, std::string_view result);
// An empty id is left out, or null in versions that know of none (JSON-RPC 2.0 section 5).
enum class no_id : std::uint8_t { left_out, null };
void append_error(std::string& out, std::string_view id, const rpc_error& e, no_id otherwise = no_id::left_out);
void append_notification(std::string& out, std::string_view method, std::string_view params);
void append_request(std::string& out, std::string_view id, std::string_view method, std::string_view params);

// The members of params; none when there are no params. Error: bad_request for a member that is there twice.
result<json_object> members_of(std::string_view params);
// `arguments` of a tool or prompt, as they came; {} where there are none.
std::string_view arguments_of(std::string_view params);

// The id of a message of our own, as JSON.
std::string json_id(std::string_view text);

}  // namespace sluice::mcp
