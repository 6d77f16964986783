// One call of a client on its way: asks its source, passes on what happens meanwhile, and puts the answer at the end of
// the stream. It runs beside the exchange that began it, since a client of the legacy era may lose its connection and
// come back for the rest; from 2026-07-28 on a lost connection cancels it.
//
// When a source needs answers of the client: clients of the legacy era are asked on the stream, at once, and the source
// is called again with what they say; later ones get input_required and come again themselves.
#pragma once

#include "mcp/protocol/sealer.hpp"
#include "mcp/serve/call_figures.hpp"
#include "mcp/serve/feature_source.hpp"
#include "mcp/serve/message_stream.hpp"
#include "mcp/serve/results.hpp"
#include "mcp/serve/session_book.hpp"
#include "mcp/serve/view.hpp"

#include <sluice/services.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace sluice::mcp {

struct call_limits {
    std::chrono::milliseconds answer{300'000};  // for the client's answer to a question
    std::chrono::milliseconds state{600'000};   // how long the state of an unfinished call is good for
    int rounds_max = 20;                        // of questions within one call of a legacy client
};

// What the answers to calls are made with; the same for all calls of an endpoint.
struct call_setting {
    server_info info;
    call_limits limits;
    std::shared_ptr<const sealer> key;
    cache_hint reads;  // of resources/read
};

struct call_plan {
    rpc_message request;
    std::shared_ptr<feature_source> source;
    std::string name;  // at the source
    client_facts client;
    identity caller;
    std::string remote_address;
    std::string session;  // id; empty: none
    std::string progress_token;
    std::string state, input_responses;  // opened and checked
    bool streams = true;                 // may the client be sent more than the answer?
    std::string counts_as;               // in metrics
    call_figures figures;                // null handles: nothing is counted
};

class call_run final : public call_channel, public std::enable_shared_from_this<call_run> {
public:
    call_run(call_plan plan, std::shared_ptr<const call_setting> setting, std::shared_ptr<session_book> book,
             std::shared_ptr<message_stream> out, services& s);

    // Begins; a call that waits for nothing is over when this returns.
    void start();
    // The client does not want the answer any more.
    void cancel();
    // The answer was an error with that code; 0: it was none.
    int error_code() const { return error_code_; }

    const client_facts& client() const override { return plan_.client; }
    const identity& caller() const override { return plan_.caller; }
    std::string_view remote_address() const override { return plan_.remote_address; }
    std::string_view progress_token() const override { return plan_.progress_token; }
    awaitable<void> notify(std::string_view method, std::string params) override;
    awaitable<void> log(log_level level, std::string_view logger, std::string data) override;
    void disconnect() override { out_->disconnect(); }

private:
    awaitable<void> work(std::shared_ptr<call_run> self);
    awaitable<outcome> perform();
    // Error: the client cannot be asked, does not answer, or answered with an error.
    awaitable<std::optional<rpc_error>> ask_all(const input_required& wanted);
    awaitable<std::variant<std::string, rpc_error>> ask(const input_request& r);
    std::optional<rpc_error> unable(const input_required& wanted) const;
    void finish(const outcome& o);
    void say(std::string message);  // to the client, on the stream
    void count(const outcome& o) const;

    call_plan plan_;
    const std::shared_ptr<const call_setting> setting_;
    const std::shared_ptr<session_book> book_;
    const std::shared_ptr<message_stream> out_;
    const std::shared_ptr<running_call> running_ = std::make_shared<running_call>();
    services& services_;
    const std::chrono::steady_clock::time_point began_;
    bool over_ = false;
    int error_code_ = 0;
};

}  // namespace sluice::mcp
