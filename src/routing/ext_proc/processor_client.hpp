// One exchange with an external processor: the session's decisions, carried out over one gRPC stream.
//
//   processor_client p(config, known, channel, time);
//   auto verdict = co_await p.ask(head, body, subset);   // dispatch or immediate_reply
//   ... the request goes to verdict's first endpoint; its reply passes processor_sink ...
//
// Lives on the frame of whoever handles the request; dropping it ends the stream.
#pragma once

#include "http/sse_reader.hpp"
#include "net/h2/grpc_call.hpp"
#include "routing/ext_proc/processor_session.hpp"

#include <sluice/exchange.hpp>
#include <sluice/services.hpp>
#include <sluice/sink.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sluice::ext_proc {

inline constexpr std::string_view process_method = "/envoy.service.ext_proc.v3.ExternalProcessor/Process";

class processor_client {
public:
    using verdict = std::variant<dispatch, immediate_reply>;

    // `config`, the channel and the clock outlive it.
    processor_client(const session_config& config, processor_session::endpoint_check known, net::grpc_channel& channel,
                     const clock& time);

    // Is there a body that it is not given?
    enum class unseen_body : std::uint8_t { no, yes };
    // Gives it the request and waits for what it says, by the deadlines of the configuration.
    awaitable<verdict> ask(message_head head, std::string_view body, std::vector<std::string> subset,
                           unseen_body more = unseen_body::no);

    // Will it want to see the reply?
    bool follows_reply() const { return call_ != nullptr; }
    processor_session& session() { return session_; }
    const session_config& config() const { return config_; }
    // The next thing that concerns the request or the reply, waiting for it as long as `patience`; what concerns the
    // stream is done on the way. Nothing: the time was over.
    awaitable<std::optional<session_action>> next(std::chrono::milliseconds patience);

private:
    // True: it was about the stream, and is done.
    bool perform(session_action& a);
    std::chrono::steady_clock::time_point now() const { return time_.now(); }

    const session_config& config_;
    processor_session session_;
    net::grpc_channel& channel_;
    const clock& time_;
    std::unique_ptr<net::grpc_call> call_;  // null: it takes no more part
};

// Shows a reply to the processor as it passes, and passes on what the processor makes of it. Of a stream each piece
// waits a moment for its answer, so that it is not held up until the next one comes.
class processor_sink final : public reply_sink {
public:
    // When the processor answers instead of the upstream. `fail`: the exchange fails with that answer, so that whoever
    // made the attempt can judge it. `answer`: the client gets it, whatever the status; then the exchange fails with
    // error_kind::internal, which ends the attempt and blames no upstream: whoever put the sink there clears it.
    enum class denial : std::uint8_t { fail, answer };

    // All outlive it. `served`: the endpoint that answers. `held` counts what is held of a reply.
    processor_sink(processor_client& client, exchange& x, reply_sink& next, std::string served,
                   denial how = denial::fail, memory_hold* held = nullptr);

    awaitable<void> head(response_head& h) override;
    awaitable<void> write(const event& e) override;
    awaitable<void> end() override;
    // Did the processor put its own reply in the place of the upstream's?
    bool denied() const { return denied_; }
    // With denial::answer: the client has a whole reply, of the processor's making.
    bool answered() const { return answered_; }
    // Did the reply end because of the processor, by a failure of its own or its word?
    bool failed() const { return failed_; }

private:
    static constexpr std::chrono::milliseconds answer_patience{20};         // for the answer to a piece of a stream
    static constexpr std::chrono::milliseconds deadline_patience{600'000};  // the session has deadlines of its own

    awaitable<void> handle(session_action& a);
    awaitable<void> deny(const immediate_reply& reply);
    awaitable<void> pass(std::string_view bytes);
    awaitable<void> finish();
    awaitable<void> cut_short();
    bool over() const { return over_ || x_.failure().has_value(); }

    processor_client& client_;
    exchange& x_;
    reply_sink& next_;
    const std::string served_;
    const denial how_;
    memory_hold* const held_;
    response_head head_;
    http::sse_reader events_;
    bool head_passed_ = false, streams_ = false, over_ = false, denied_ = false, answered_ = false;
    bool begun_ = false, failed_ = false;
};

// An immediate response as a whole reply. All outlive what is returned.
awaitable<void> send_reply(reply_sink& to, const immediate_reply& reply, std::string_view method);
// An immediate response as the failure that a client is told: status, body and headers are the processor's.
void fail_with(exchange& x, const immediate_reply& reply);

}  // namespace sluice::ext_proc
