// What a client said of itself: its version and what it can be asked. In the legacy era once, at `initialize`; from
// 2026-07-28 on in the `_meta` of each request.
#pragma once

#include "mcp/protocol/rpc.hpp"
#include "mcp/protocol/version.hpp"

#include <sluice/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace sluice::mcp {

// What may be asked of a client while it waits.
enum class ability : std::uint8_t {
    elicitation_form = 1,
    elicitation_url = 2,
    sampling = 4,
    sampling_tools = 8,
    sampling_context = 16,
    roots = 32,
    tasks = 64,  // the extension io.modelcontextprotocol/tasks
};

struct abilities {
    std::uint8_t bits = 0;
    bool has(ability a) const { return (bits & static_cast<std::uint8_t>(a)) != 0; }
    void add(ability a) { bits |= static_cast<std::uint8_t>(a); }
};

// `capabilities` is ClientCapabilities as JSON. Members that are no objects count as absent.
abilities read_abilities(const json_value& capabilities);
// ClientCapabilities that say the same: for data.requiredCapabilities and for servers behind.
std::string capabilities_json(abilities a);
// What the request `method` with these params asks for; nothing for a method that is none of a server's.
std::optional<ability> needed_for(std::string_view method, std::string_view params);

// RFC 5424 severities, as MCP's logging has them.
enum class log_level : std::uint8_t { debug, info, notice, warning, error, critical, alert, emergency };
std::optional<log_level> parse_log_level(std::string_view text);
std::string_view to_string(log_level level);

struct client_facts {
    version speaks = newest_legacy;
    abilities can;
    std::optional<log_level> log_from;  // none: no log messages are wanted
};

// Of one request: what stands in its `_meta`.
struct request_meta {
    bool present = false;          // there is a `_meta` with a protocolVersion: the modern era
    std::string protocol_version;  // as sent
    bool has_capabilities = false;
    client_facts client;
    std::string progress_token;  // JSON; empty: none
};

// Error (as bad_message has it): invalid_params for a `_meta` whose members are of the wrong type.
std::variant<request_meta, rpc_error> read_meta(std::string_view params);

}  // namespace sluice::mcp
