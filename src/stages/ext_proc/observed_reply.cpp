#include "stages/ext_proc/observed_reply.hpp"

#include "routing/ext_proc/processor_client.hpp"
#include "routing/ext_proc/request_messages.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <utility>

namespace sluice::ext_proc_stage {
namespace {

using ext_proc::body_mode;

constexpr std::chrono::milliseconds farewell{1000};  // as Envoy's deferred_close_timeout

// Reads until the processor ends the stream: dropping it earlier would reset what is still on its way.
awaitable<void> linger(std::shared_ptr<net::grpc_channel> channel, std::unique_ptr<net::grpc_call> call,
                       const clock& time) {
    const auto until = time.now() + farewell;
    for (auto now = time.now(); now < until; now = time.now()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now);
        const net::grpc_event e = co_await call->next(left);
        if (e.what == net::grpc_event::kind::ended || e.what == net::grpc_event::kind::timeout) break;
    }
    call.reset();  // before its channel
    channel.reset();
}

}  // namespace

observed_reply::observed_reply(const ext_proc::session_config& config, std::shared_ptr<net::grpc_channel> channel,
                               services& s)
    : config_(config),
      channel_(std::move(channel)),
      services_(s),
      call_(channel_->call(ext_proc::process_method, {})) {}

void observed_reply::send(const std::string& message) {
    first_ = false;
    if (call_ == nullptr) return;
    if (call_->queued_bytes() + message.size() > config_.limits.message_bytes_max + config_.limits.held_bytes_max) {
        gave_up_ = true;
        call_.reset();
        return;
    }
    call_->send(message, false);
}

void observed_reply::show_request(const ext_proc::message_head& head, std::string_view body, bool has_body) {
    if (config_.request_headers) {
        send(ext_proc::request_headers_message(head, !has_body && body.empty(), {config_, first_}));
    }
    constexpr std::size_t piece_bytes = 60'000;
    while (!body.empty() && config_.request_body != body_mode::none) {
        const std::string_view piece = body.substr(0, piece_bytes);
        body.remove_prefix(piece.size());
        send(ext_proc::request_body_message(piece, body.empty(), {config_, first_}));
    }
}

void observed_reply::see_head(const response_head& h) {
    if (std::exchange(replied_, true) || !config_.response_headers) return;
    ext_proc::message_head head;
    head.status = h.status;
    head.headers = h.headers;
    send(ext_proc::response_headers_message(head, h.body == framing::none, {}, {config_, first_}));
}

void observed_reply::see(const event& e) {
    if (config_.response_body == body_mode::none || e.raw.empty()) return;
    send(ext_proc::response_body_message(e.raw, false, {config_, first_}));
}

void observed_reply::finish() {
    if (replied_ && config_.response_body != body_mode::none)
        send(ext_proc::response_body_message({}, true, {config_, first_}));
    if (call_ == nullptr) return;
    call_->finish();
    boost::asio::co_spawn(services_.executor(), linger(channel_, std::move(call_), services_.time()),
                          boost::asio::detached);
}

}  // namespace sluice::ext_proc_stage
