// One exchange as an external processor sees it: the state machine between a request and its reply on one side and one
// gRPC stream on the other (envoy.service.ext_proc.v3, method Process).
//
// Sans-I/O: every event is a call, and after each the caller runs the actions until next() has no more:
//
//   session.on_request(head, body == none, subset, now);
//   while (auto a = session.next()) perform(*a);
//   ... a message came: session.on_message(bytes, now); a timer: session.on_deadline(now) at session.deadline() ...
//
// The caller keeps the original request until `dispatch`, since that may say "as it came". Until `dispatch` a failure
// can always be undone; of the reply, as long as nothing of the processor's was passed on. Belongs to one worker.
#pragma once

#include "routing/ext_proc/body_exchange.hpp"
#include "routing/ext_proc/header_mutation.hpp"
#include "routing/ext_proc/session_config.hpp"

#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sluice::ext_proc {

namespace wire {
class BodyResponse;
class CommonResponse;
class HeadersResponse;
class ImmediateResponse;
class ProcessingMode;
class ProcessingResponse;
class Struct;
}  // namespace wire

// Why a processor counts as failed; label of the metric.
enum class failure : std::uint8_t { none, timeout, grpc_status, protocol, too_large, no_endpoint, unknown_endpoint };
std::string_view name_of(failure f);

// One message for the processor: bytes of a ProcessingRequest, without the gRPC prefix.
struct send_message {
    std::string bytes;
};
// The request goes on. `native`: without the processor (it failed open, or closed the stream before it picked): pick
// an endpoint yourself and send the original. `endpoints`: in this order, those behind the first for retries; empty
// for a processor that does not pick.
struct dispatch {
    bool native = false;
    std::vector<std::string> endpoints;
    message_head head;
    std::optional<std::string> body;  // the whole body; nothing: the original
};
// The head of the reply, once. Its framing is the caller's.
struct respond_headers {
    message_head head;
    bool last = false;
    bool same_body = false;  // the body will pass as it came: its length still holds
};
struct respond_body {
    std::string bytes;
    bool last = false;
};
// The client gets this instead, and an upstream under way is cancelled: nothing of a reply was passed on yet.
struct immediate_reply {
    int status = 0;
    header_list headers;
    std::string body;
    std::string details;  // for logs, bounded
};
// The reply has begun and cannot go on: cancel the upstream, break the client's reply off.
struct abort_reply {
    error why;
};
// Nothing more will be sent or read: end the stream. Behind it only what the session still passes through.
struct end_stream {};

using session_action =
    std::variant<send_message, dispatch, respond_headers, respond_body, immediate_reply, abort_reply, end_stream>;

class processor_session {
public:
    using time_point = std::chrono::steady_clock::time_point;
    // Is this "ip:port" an endpoint of the pool? Not called with destination_mode::passthrough.
    using endpoint_check = std::function<bool(std::string_view)>;

    // `config` outlives the session.
    processor_session(const session_config& config, endpoint_check known);

    // --- the exchange ------------------------------------------------------------------------------------------------
    // Once, first. `subset`: endpoints that may be picked; empty: all.
    void on_request(message_head head, bool last, std::vector<std::string> subset, time_point now);
    void on_request_body(std::string_view bytes, bool last, time_point now);
    // Once, after dispatch. `served`: the endpoint that answered.
    void on_response(message_head head, bool last, std::string served, time_point now);
    void on_response_body(std::string_view bytes, bool last, time_point now);
    // Does the head of the reply wait for the processor's word?
    bool awaits_response_head() const { return !alone_ && response_phase_ == head_phase::sent; }
    body_mode response_mode() const { return response_.mode(); }
    std::size_t held_response_bytes() const { return response_.held_bytes(); }
    // Should the upstream be read? False while the processor owes answers for as much as may be held.
    bool wants_response_body() const {
        // What is judged as a whole must be here as a whole.
        if (alone_ || response_.mode() == body_mode::buffered) return true;
        return response_.held_bytes() < config_.limits.held_bytes_max;
    }

    // --- the processor -----------------------------------------------------------------------------------------------
    void on_message(std::string_view bytes, time_point now);
    // The stream ended; 0 is OK and means "continue without me". A connection that broke or was never made counts
    // as 14.
    void on_closed(int grpc_status, time_point now);
    // When on_deadline() is due; nothing: the processor owes nothing.
    std::optional<time_point> deadline() const { return deadline_; }
    void on_deadline(time_point now);

    // The next thing to do.
    std::optional<session_action> next();

    // --- for metrics -------------------------------------------------------------------------------------------------
    failure failed() const { return failed_; }
    std::size_t refused_headers() const { return refused_headers_; }
    std::size_t unknown_endpoints() const { return unknown_endpoints_; }

private:
    // Where a head is: not begun, sent to the processor, answered.
    enum class head_phase : std::uint8_t { idle, sent, answered };
    enum class progress : std::uint8_t { request, dispatched, responding, over };

    // request side (processor_session.cpp)
    void answer_request_headers(const wire::HeadersResponse& m, const wire::ProcessingResponse& whole);
    void answer_request_body(const wire::BodyResponse& m);
    void override_modes(const wire::ProcessingMode& mode);
    bool take_pick(const wire::Struct& metadata);
    bool mutate(const wire::CommonResponse& m, direction way, message_head& head);
    bool choose_endpoints();
    void refuse_body();
    void send_request_body();
    void dispatch_request();
    void go_native();
    // reply side (processor_reply.cpp)
    void answer_response_headers(const wire::HeadersResponse& m, const wire::ProcessingResponse& whole);
    void answer_response_body(const wire::BodyResponse& m);
    void reply_at_once(const wire::ImmediateResponse& m);
    void replace_response(const wire::CommonResponse& m);
    void response_too_large(const error& why, std::string_view bytes, bool last);
    void send_response_body();
    void pass_head();
    void pass_body(std::string bytes, bool last);
    void pass_rest_untouched();
    // both
    void read_message(const wire::ProcessingResponse& m, time_point now);
    void extend_deadline(const wire::ProcessingResponse& m, time_point now);
    void arm(time_point now);
    bool owes_answer() const;
    bool first_message() { return !std::exchange(announced_, true); }
    int failure_status() const;
    void fail(failure why, std::string text);
    void leave();  // the processor takes no more part
    void end_if_done();

    const session_config& config_;
    const endpoint_check known_;

    std::deque<session_action> actions_;
    progress at_ = progress::request;
    bool alone_ = false;      // no processor any more: everything passes
    bool ended_ = false;      // end_stream was said
    bool announced_ = false;  // the first message was sent
    bool shows_response_head_;
    std::optional<time_point> deadline_;
    bool extended_ = false;  // the deadline at hand was overridden once

    message_head request_head_, original_head_, response_head_;
    std::vector<std::string> subset_;
    head_phase request_phase_ = head_phase::idle, response_phase_ = head_phase::idle;
    body_exchange request_, response_;
    bool request_has_body_ = false, response_last_ = false, head_passed_ = false;
    std::string new_body_;
    bool body_replaced_ = false;
    std::optional<std::string> picked_by_metadata_, picked_by_header_;
    std::vector<std::string> endpoints_;

    failure failed_ = failure::none;
    std::size_t refused_headers_ = 0, unknown_endpoints_ = 0, idle_messages_ = 0;
};

}  // namespace sluice::ext_proc
