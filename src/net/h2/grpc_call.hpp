// gRPC calls of one worker to one address.
//
//   const auto call = channel->call("/package.Service/Method", {});
//   call->send(message, true);
//   for (;;) {
//       grpc_event e = co_await call->next(1s);
//       if (e.what == grpc_event::kind::message) ...
//       else break;   // ended: e.status; timeout
//   }
//
// One connection carries all calls; it is made when the first call needs it, and again when it broke. A failed
// connection fails the calls that wait for it, and those of the next moments at once (100 ms, doubling up to 10 s).
#pragma once

#include "net/h2/grpc_framing.hpp"
#include "net/upstream_pool.hpp"

#include <sluice/awaitable.hpp>
#include <sluice/exchange.hpp>
#include <sluice/result.hpp>
#include <sluice/services.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace sluice::net {

struct grpc_event {
    enum class kind : std::uint8_t { message, writable, ended, timeout };
    kind what = kind::timeout;
    std::string message;
    grpc_status status;  // with ended
};

// One bidirectional stream. Dropping it resets what is still open. Belongs to its channel's worker.
class grpc_call {
public:
    virtual ~grpc_call() = default;
    // Queues; never waits. Nothing follows the last one.
    virtual void send(std::string_view message, bool last) = 0;
    virtual void finish() = 0;  // nothing more will be sent
    // Bytes that flow control has not taken yet.
    virtual std::size_t queued_bytes() const = 0;
    // next() also ends, once, when queued_bytes() is at most `low_water`.
    virtual void want_writable(std::size_t low_water) = 0;
    // What happens next, messages in their order; after `ended` it says so for ever. One caller at a time; may be
    // cancelled.
    virtual awaitable<grpc_event> next(std::chrono::milliseconds timeout) = 0;
};

class grpc_channel {
public:
    virtual ~grpc_channel() = default;  // ends calls that are open with 14
    // Never fails by itself: what goes wrong ends the call.
    virtual std::unique_ptr<grpc_call> call(std::string_view path, const header_list& metadata) = 0;
};

struct grpc_options {
    std::size_t message_bytes_max = 4 << 20;  // of a received message
    std::size_t unread_bytes_max = 1 << 20;   // of messages nobody took yet; then the peer waits
    std::chrono::milliseconds keepalive{
        20'000};  // silence with calls under way before a PING, and before its answer is missed
};

// `to` says where and how (with `h2` set for ALPN); `dialer` and `s` outlive the channel.
std::unique_ptr<grpc_channel> make_grpc_channel(upstream_endpoint to, dialer& d, services& s,
                                                const grpc_options& options = {});

// One message there, one back.
awaitable<result<std::string>> unary_call(grpc_channel& channel, std::string path, std::string message,
                                          std::chrono::milliseconds timeout);
// grpc.health.v1: is the service (empty: the server) serving?
awaitable<bool> check_health(grpc_channel& channel, std::string service, std::chrono::milliseconds timeout);

}  // namespace sluice::net
