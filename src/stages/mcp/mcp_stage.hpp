// An MCP endpoint: Streamable HTTP in the form of each version since 2025-03-26, on one URL. What the messages mean is
// mcp/serve's; here is how they travel.
//
//   POST              a request or notification; from 2026-07-28 on nothing else. The answer is JSON, or a stream where
//                     something is said before it.
//   GET               a session's stream for what belongs to no request; with Last-Event-ID the rest of another stream
//   DELETE            ends a session
#pragma once

#include "mcp/mcp_config.hpp"
#include "mcp/serve/server.hpp"
#include "stages/mcp/mcp_stage_config.hpp"

#include <sluice/exchange.hpp>
#include <sluice/services.hpp>
#include <sluice/stage.hpp>

#include <memory>
#include <string>

namespace sluice::mcp_endpoint {

class mcp_stage final : public stage {
public:
    mcp_stage(const mcp_stage_config& c, const mcp::mcp_config& sources, services& s, const std::string& route,
              std::size_t position);
    std::string_view name() const override { return "mcp"; }
    awaitable<void> serve(exchange& x, next_stage next) override;

private:
    awaitable<void> post(exchange& x);
    awaitable<void> get(exchange& x);
    awaitable<void> end_session(exchange& x);
    awaitable<void> resume(exchange& x, const mcp::session_facts& session, std::string last_event);
    awaitable<void> serve_batch(exchange& x, std::string_view text);
    awaitable<std::string> answer_in_batch(exchange& x, const mcp::session_facts& session, mcp::rpc_message m);

    // One message, whoever it is for.
    awaitable<void> serve_message(exchange& x, mcp::rpc_message m);
    awaitable<void> serve_modern(exchange& x, mcp::rpc_message m, mcp::request_meta meta);
    awaitable<void> serve_legacy(exchange& x, mcp::rpc_message m, mcp::request_meta meta);
    awaitable<void> initialize(exchange& x, const mcp::rpc_message& m);
    awaitable<void> listen(exchange& x, const mcp::rpc_message& m, const mcp::listen_filter& filter);
    awaitable<void> run(exchange& x, mcp::call_plan plan);
    awaitable<void> change(exchange& x, const mcp::asked& a, const mcp::setting_change& what);
    void notified(const mcp::rpc_message& m, const std::string& session);

    // Sends what the stream holds from `from` on, as JSON where that is all there is. `kept` names the stream in ids of
    // events; nothing: it cannot be resumed.
    struct reading {
        std::shared_ptr<mcp::message_stream> stream;
        std::optional<mcp::local_name> kept;
        std::size_t from = 0;
        bool json_allowed = false, sse_allowed = true;
        bool primed = false;  // begin with an event that has an id alone (2025-11-25)
        const mcp::call_run* run = nullptr;
        std::size_t numbered_from = 0;  // number of the stream's first message in ids of events
    };
    // A call whose client cannot come back ends with the exchange.
    struct cancel_at_exit {
        explicit cancel_at_exit(mcp::call_run& c) : call(c) {}
        ~cancel_at_exit() { call.cancel(); }
        cancel_at_exit(const cancel_at_exit&) = delete;
        mcp::call_run& call;
    };
    awaitable<void> send(exchange& x, const reading& r);
    awaitable<void> stream_events(exchange& x, const reading& r, std::size_t epoch);

    std::optional<mcp::session_facts> session_of(const exchange& x) const;

    const mcp_stage_config config_;
    services& services_;
    const std::shared_ptr<mcp::session_books> books_;
    const std::shared_ptr<mcp::session_book> book_;
    const std::shared_ptr<const mcp::sealer> key_;
    mcp::mcp_server server_;
    mcp::call_figures_table figures_;
};

}  // namespace sluice::mcp_endpoint
