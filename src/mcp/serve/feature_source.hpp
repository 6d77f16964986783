// Where tools, prompts and resources come from, as the server side sees it: one interface for services, remote servers,
// processes and what the gateway has itself.
//
// What happens is told in the terms of the newest version, whatever the client or the source speaks: a source that
// needs to ask the client something gives input_required, and is called again with the answers. For a client of the
// legacy era the server asks in between (serve/call_runner.hpp).
#pragma once

#include "mcp/protocol/client_facts.hpp"
#include "mcp/protocol/request_headers.hpp"
#include "mcp/protocol/rpc.hpp"

#include <sluice/awaitable.hpp>
#include <sluice/exchange.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sluice::mcp {

enum class feature_kind : std::uint8_t { tool, prompt, resource, resource_template };

// One entry of a list. The JSON is passed on as it came.
struct feature {
    std::string name;  // of a tool or prompt; of a resource its URI, of a template its URI template
    std::string json;
    std::vector<mirrored_argument> mirrored;  // of a tool: arguments that stand in headers too
};

// All that a source offers at one time. Immutable once made.
struct feature_set {
    std::vector<feature> tools, prompts, resources, templates;
    bool completes = false;   // completion/complete is answered
    bool subscribes = false;  // tells when a resource changed
    bool logs = false;
    std::string instructions;

    const std::vector<feature>& of(feature_kind k) const {
        switch (k) {
            case feature_kind::tool:
                return tools;
            case feature_kind::prompt:
                return prompts;
            case feature_kind::resource:
                return resources;
            default:
                return templates;
        }
    }
};

struct input_request {
    std::string key;     // names it within the call
    std::string method;  // elicitation/create, sampling/createMessage, roots/list
    std::string params;  // JSON object
};

// The call cannot go on without answers of the client. `state` comes back with them, sealed on the way.
struct input_required {
    std::vector<input_request> requests;
    std::string state;
};

struct completed {
    std::string result;  // JSON object: CallToolResult, GetPromptResult, ReadResourceResult, CompleteResult
};

using outcome = std::variant<completed, input_required, rpc_error>;

// The client as a source sees it while it works on a call. Lives as long as the call.
class call_channel {
public:
    virtual const client_facts& client() const = 0;
    virtual const identity& caller() const = 0;
    virtual std::string_view remote_address() const = 0;
    virtual std::string_view progress_token() const = 0;  // JSON; empty: no progress is wanted
    // Sends a notification that belongs to the call. Log messages below the client's level are dropped.
    virtual awaitable<void> notify(std::string_view method, std::string params) = 0;
    virtual awaitable<void> log(log_level level, std::string_view logger, std::string data) = 0;
    // Ends the stream the client reads; it comes back for the rest (2025-11-25). Nothing in other versions.
    virtual void disconnect() = 0;

protected:
    ~call_channel() = default;
};

struct call {
    std::string_view method;           // tools/call, prompts/get, resources/read, completion/complete
    std::string_view name;             // at the source: of the tool or prompt, or the resource's URI
    std::string_view params;           // JSON object, as the client sent it
    std::string_view input_responses;  // JSON object by key of input_request; empty: none
    std::string_view state;            // of the input_required before; empty: none
};

class feature_source {
public:
    virtual ~feature_source() = default;
    virtual std::string_view name() const = 0;
    // What is known of it now; null while nothing is. Cheap.
    virtual std::shared_ptr<const feature_set> features() = 0;
    virtual awaitable<outcome> perform(const call& c, call_channel& channel) = 0;
};

}  // namespace sluice::mcp
