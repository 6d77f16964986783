#include "net/realtime.hpp"

#include "base/ascii.hpp"
#include "base/random.hpp"
#include "http/realtime_event.hpp"
#include "http/websocket_frames.hpp"
#include "pipeline/error_reply.hpp"

#include <boost/system/system_error.hpp>

#include <array>
#include <cstddef>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sluice::net {
namespace {

using http::websocket_side;
namespace close_code = http::close_code;

// One direction. `closing` is shared by both: after either side's Close, the end of the connection is no accident.
class frame_gate final : public tunnel_gate {
public:
    // `metered` null: the events are not read.
    frame_gate(websocket_side from, std::uint64_t message_bytes_max, bool& closing, exchange* metered)
        : scanner_(from, message_bytes_max), closing_(closing), metered_(metered) {}

    verdict see(std::string_view bytes) override;
    bool may_end() const override { return closing_; }

    // May a frame, or a message, of ours stand behind what was passed?
    bool between_frames() const { return stopped_ ? cut_clean_ : scanner_.between_frames(); }
    bool between_messages() const {
        return between_frames() && (stopped_ ? cut_between_messages_ : scanner_.between_messages());
    }
    std::uint16_t violation() const { return violation_; }  // 0: none
    const std::optional<error>& out_of_budget() const { return refused_; }

private:
    verdict stop(std::size_t pass, bool clean, bool between_messages);
    void read_event(const http::websocket_scanner::step& s);

    http::websocket_scanner scanner_;
    bool& closing_;
    exchange* const metered_;
    http::realtime_event event_;
    bool asked_ = false;  // the budget, for the message at hand
    std::uint16_t violation_ = 0;
    std::optional<error> refused_;
    bool stopped_ = false, cut_clean_ = false, cut_between_messages_ = false;
};

tunnel_gate::verdict frame_gate::stop(std::size_t pass, bool clean, bool between_messages) {
    stopped_ = true;
    cut_clean_ = clean;
    cut_between_messages_ = between_messages;
    return {pass, true};
}

tunnel_gate::verdict frame_gate::see(std::string_view bytes) {
    // Where the frame and the message at hand began, if that was within `bytes`: there it can still be cut off.
    std::optional<std::size_t> frame, message;
    for (std::size_t at = 0; at < bytes.size();) {
        if (scanner_.between_frames()) frame = at;
        const bool was_between = scanner_.between_messages();
        const auto s = scanner_.next(bytes.substr(at));
        if (s.violation != 0) {
            violation_ = s.violation;
            return stop(frame.value_or(at), frame.has_value(), was_between);
        }
        at += s.consumed;
        if (s.message_begins) {
            message = frame;
            event_ = {};
            asked_ = false;
        }
        if (s.closes) closing_ = true;
        if (metered_ == nullptr) continue;
        read_event(s);
        if (!refused_) continue;
        // Not begun yet for the client: it never sees this response. Else the event passes, and nothing behind it.
        if (message) return stop(*message, true, true);
        if (s.message_ends) return stop(at, true, true);
    }
    return {bytes.size(), false};
}

void frame_gate::read_event(const http::websocket_scanner::step& s) {
    if (!s.text.empty()) event_.feed(s.text);
    if (!asked_ && event_.type() == "response.created") {
        asked_ = true;
        if (metered_->budget != nullptr) refused_ = metered_->budget->next_response();
    }
    if (!s.message_ends || event_.type() != "response.done") return;
    http::add_usage(metered_->usage, event_.usage());
    if (metered_->budget != nullptr) metered_->budget->response_done();
}

// What is told to each side at the end, and what the exchange came to. Code 0: nothing is told.
struct ending {
    std::uint16_t to_client = 0, to_upstream = 0;
    std::optional<error> failure;
    bool announced = false;  // to the client, as an error event before the Close
};

ending judge(const tunnel_end& client, const tunnel_end& upstream, const frame_gate& from_client,
             const frame_gate& from_upstream, bool closing) {
    if (from_upstream.out_of_budget())
        return {close_code::policy, close_code::normal, from_upstream.out_of_budget(), true};
    if (from_client.violation() != 0) {
        const bool big = from_client.violation() == close_code::too_big;
        return {from_client.violation(), close_code::going_away,
                error{error_kind::bad_request, big ? "The message is too large." : "The frame is not valid."}};
    }
    if (from_upstream.violation() != 0) {
        return {close_code::internal_error, from_upstream.violation(),
                error{error_kind::upstream_protocol, "The upstream sent a frame that must be refused."}, true};
    }
    if (closing) return {};
    if (client.why == tunnel_stop::starved || upstream.why == tunnel_stop::starved) {
        return {close_code::internal_error, close_code::going_away,
                error{error_kind::overloaded, "The gateway is out of buffers."}, true};
    }
    if (client.why != tunnel_stop::none) return {0, close_code::going_away, error{error_kind::client_gone}};
    if (upstream.why != tunnel_stop::none) {
        return {close_code::internal_error, 0, error{error_kind::upstream_reset, "The upstream broke the session off."},
                true};
    }
    return {close_code::going_away, close_code::going_away, std::nullopt};  // idle
}

std::string error_event(const error& e) {
    return http::write_websocket_text(R"({"type":"error",)" + openai_error_body(e).substr(1));
}

std::array<unsigned char, 4> fresh_mask() {
    std::array<std::byte, 4> bytes{};
    fill_secure(bytes);
    std::array<unsigned char, 4> mask{};
    for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = std::to_integer<unsigned char>(bytes[i]);
    return mask;
}

// Without waiting: who takes nothing now is cut off in any case.
void say(tunnel_end& to, const tunnel_end& from, const frame_gate& passed, std::string_view frame) {
    if (from.half_passed || !passed.between_frames() || to.why == tunnel_stop::broken) return;
    const std::array<std::string_view, 1> piece{frame};
    to.socket.write_some(piece, 0);
}

}  // namespace

bool is_realtime(const exchange& x, const response_head& switched) {
    const auto protocol = switched.headers.find("upgrade");
    return !x.model.empty() && protocol && iequals(*protocol, "websocket");
}

awaitable<result<void>> run_realtime(exchange& x, tunnel_end& client, tunnel_end& upstream, buffer_pool& buffers,
                                     const realtime_limits& limits) {
    bool closing = false;
    frame_gate from_client(websocket_side::client, limits.message_bytes, closing, nullptr);
    frame_gate from_upstream(websocket_side::server, limits.message_bytes, closing, &x);
    client.gate = &from_client;
    upstream.gate = &from_upstream;
    // Nothing has been used before the upstream says so: the bytes of a session tell nothing about its tokens.
    x.usage.input = x.usage.output = 0;

    std::exception_ptr aborted;
    try {
        co_await run_tunnel(client, upstream, buffers, limits.idle, limits.grace);
    } catch (const boost::system::system_error&) {
        aborted = std::current_exception();
    }
    ending end{close_code::going_away, close_code::going_away, std::nullopt};
    if (!aborted) end = judge(client, upstream, from_client, from_upstream, closing);
    if (end.to_client != 0) {
        std::string frames;
        if (end.announced && from_upstream.between_messages()) frames = error_event(*end.failure);
        frames += http::write_websocket_close(websocket_side::server, end.to_client,
                                              end.failure ? traits(end.failure->kind).code : std::string_view{});
        say(client, upstream, from_upstream, frames);
    }
    if (end.to_upstream != 0) {
        say(upstream, client, from_client,
            http::write_websocket_close(websocket_side::client, end.to_upstream, {}, fresh_mask()));
    }
    if (aborted) std::rethrow_exception(aborted);
    if (end.failure) co_return std::move(*end.failure);
    co_return result<void>{};
}

}  // namespace sluice::net
