// The innermost sink: a reply's last hop, onto the client's connection.
//
// The head waits for the first body bytes, so that a short answer is one system call; flush() sends it when
// none are at hand. A write that cannot go on (client gone, or it stopped reading) aborts the exchange. Whoever
// breaks the order of the calls, or writes more than the head announced, gets a std::logic_error: bytes out of
// order would be read as another reply.
#pragma once

#include "net/session_body.hpp"
#include "net/stream.hpp"

#include <sluice/exchange.hpp>

#include <chrono>
#include <span>
#include <string>
#include <string_view>

namespace sluice::net {

class client_sink final : public reply_sink {
public:
    // `may_keep_alive`: false when the connection closes after this reply whatever the client wants. All outlive
    // the sink.
    client_sink(stream& s, exchange& x, const request_head& request, const session_body& body,
                std::chrono::milliseconds stall, bool may_keep_alive);

    awaitable<void> head(response_head& h) override;
    awaitable<void> write(const event& e) override;
    awaitable<void> end() override;
    awaitable<void> flush();

    // After a reply broke off: tells the client in-band where its format allows it (SSE), and leaves the body
    // truncated. Does not wait: a client that does not read learns it from the close.
    void break_off(std::string_view sse_error_event);
    // A head that was given but of which nothing went out can be taken back, so that another may be given.
    bool holds_back() const { return !pending_.empty(); }
    bool unsent() const { return started_ && !ended_ && bytes_ == 0 && !mid_write_; }
    void take_back();
    // The connection closes behind this reply; said in its head if that is still to come.
    void close_after_reply() { keep_alive_ = false; }
    // Puts the head of a 101 on the wire and gives the connection to the tunnel.
    awaitable<void> switch_protocols(response_head& h);

    bool started() const { return started_; }
    bool ended() const { return ended_; }
    bool keep_alive() const { return keep_alive_; }
    std::uint64_t bytes() const { return bytes_; }

private:
    awaitable<void> send(std::span<const std::string_view> pieces);
    [[noreturn]] void give_up(abort_reason why);

    stream& stream_;
    exchange& x_;
    const request_head& request_;
    const session_body& body_;
    std::chrono::milliseconds stall_;
    std::string pending_;  // the head, until it goes out
    framing framing_ = framing::none;
    std::uint64_t left_ = 0;  // of a body with a length
    std::uint64_t bytes_ = 0;
    bool keep_alive_;
    bool started_ = false, ended_ = false, sse_ = false;
    bool mid_write_ = false;  // a write has begun and may have left a part behind
};

}  // namespace sluice::net
