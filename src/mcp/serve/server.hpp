// The server side of MCP for one view on one worker: what each method means, in both eras. No HTTP: the stage carries
// messages in and out.
#pragma once

#include "mcp/serve/call_run.hpp"
#include "mcp/serve/session_token.hpp"

#include <sluice/message.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace sluice::mcp {

struct server_settings {
    server_info info;
    std::string instructions;
    std::size_t page_size = 500;  // entries of a list in one answer
    cache_hint lists;
    call_limits limits;
};

// A request, and who makes it.
struct asked {
    rpc_message request;
    client_facts client;
    std::string session;         // id; empty: none
    std::string progress_token;  // JSON
    const identity* caller;      // the rest outlives the server's answer only
    std::string_view remote_address;
    const header_list* headers = nullptr;  // checked against arguments that they mirror; null: not (legacy)
};

// A session's setting that has to change before the request is answered with {}.
struct setting_change {
    std::optional<log_level> log_from;
    std::string subscribe, unsubscribe;  // URI; empty: none
};

// What a client of the modern era wants to hear of (subscriptions/listen).
struct listen_filter {
    bool tools = false, prompts = false, resources = false;
    std::vector<std::string> uris;
};

struct answered {
    std::string result;  // JSON object, finished
};

using decision = std::variant<answered, rpc_error, setting_change, listen_filter, call_plan>;

class mcp_server {
public:
    mcp_server(std::shared_ptr<view> v, server_settings settings, std::shared_ptr<const sealer> key);

    // What is to be done about a request. A call_plan is for call_run, what else there is for the stage.
    decision decide(const asked& a, std::chrono::system_clock::time_point now);
    // `initialize`: the version that both will speak, and the answer.
    struct introduction {
        client_facts client;
        std::string result;
    };
    std::variant<introduction, rpc_error> introduce(const rpc_message& initialize);

    const std::shared_ptr<const call_setting>& calls() const { return calls_; }
    view& what() { return *view_; }

private:
    decision list(const asked& a, feature_kind kind);
    decision call_tool(const asked& a, std::chrono::system_clock::time_point now);
    decision get_prompt(const asked& a, std::chrono::system_clock::time_point now);
    decision read_resource(const asked& a, std::chrono::system_clock::time_point now);
    decision complete(const asked& a);
    decision discover(const asked& a);
    // Adds what clients of MRTR send along with a retry.
    // `counts_as` is a name that no client can choose.
    decision planned(const asked& a, std::size_t source, std::string name, std::string counts_as,
                     std::chrono::system_clock::time_point now);
    std::string capabilities(const view_snapshot& v, version speaks) const;

    const std::shared_ptr<view> view_;
    const server_settings settings_;
    const std::shared_ptr<const sealer> key_;
    const std::shared_ptr<const call_setting> calls_;
};

}  // namespace sluice::mcp
