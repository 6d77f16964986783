#include "net/session.hpp"

#include "http/hop_by_hop.hpp"
#include "http/message_writer.hpp"
#include "http/path.hpp"
#include "http/request_parser.hpp"
#include "net/realtime.hpp"
#include "net/tunnel.hpp"
#include "net/upstream_pool.hpp"
#include "pipeline/error_reply.hpp"

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::net {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// After the last reply, for what the client still sends.
constexpr auto linger_time = 5s, linger_silence = 2s;
constexpr std::size_t linger_bytes = 64u << 20;
// In a drain, for a connection that was accepted and has not asked for anything yet.
constexpr auto first_request_grace = 1000ms;

// Needs no buffer of the pool, whose lack may be why the connection ends.
io_result drop_some(stream& s) {
    std::array<char, 16384> scratch;
    return s.read_some(scratch);
}

error error_of(abort_reason why) {
    switch (why) {
        case abort_reason::total_timeout:
            return error{error_kind::total_timeout, "The request took longer than the gateway allows."};
        case abort_reason::drain:
        case abort_reason::shutdown:
            return error{error_kind::draining, "The gateway is shutting down."};
        case abort_reason::client_write_stall:
            return error{error_kind::client_write_stall};
        default:
            return error{error_kind::client_gone};
    }
}

}  // namespace

session::session(session_site& site, const session_limits& limits, unique_fd fd, std::string peer)
    : site_(site), limits_(limits), stream_(site.loop, std::move(fd)), peer_(std::move(peer)) {
    next_ = site_.first;
    if (next_ != nullptr) next_->prev_ = this;
    site_.first = this;
    ++site_.sessions;
}

session::~session() {
    (prev_ != nullptr ? prev_->next_ : site_.first) = next_;
    if (next_ != nullptr) next_->prev_ = prev_;
    --site_.sessions;
}

awaitable<void> session::run(ssl_ptr ssl) {
    if (ssl) {
        auto shaken = co_await stream_.handshake(std::move(ssl), "the client", limits_.tls_handshake);
        if (!shaken) co_return;
    }
    do {
        std::unique_ptr<request_head> head;  // an idle connection holds none
        const bool got = co_await read_head(head);
        if (!got) co_return;
        ++served_;
        const outcome then = co_await serve(*head);
        if (then == outcome::close) break;
        if (in_.size() == 0) in_.release();
        site_.give_back(std::move(head));
    } while (!closing_);
    co_await linger();
}

std::unique_ptr<request_head> session_site::take_head() {
    if (spare_heads.empty()) return std::make_unique<request_head>();
    auto head = std::move(spare_heads.back());
    spare_heads.pop_back();
    return head;
}

void session_site::give_back(std::unique_ptr<request_head> head) {
    if (spare_heads.size() < spare_heads_max && head->headers.bytes_max() <= spare_head_bytes_max)
        spare_heads.push_back(std::move(head));
}

awaitable<bool> session::read_head(std::unique_ptr<request_head>& head) {
    std::size_t scanned = 0;
    auto deadline = site_.loop.now() + limits_.header;
    for (;;) {
        if (in_.size() > 0) {
            if (!head) head = site_.take_head();
            const http::parsed p = http::parse_request_head(in_.data(), scanned, limits_.head, *head);
            if (p.state == http::progress::done) {
                in_.consume(p.consumed);
                co_return true;
            }
            if (p.state == http::progress::bad) {
                error e{p.why.kind, "The request is not valid HTTP: " + std::string(p.why.reason) + "."};
                auto failure = std::make_shared<upstream_failure>();
                failure->status = p.why.status;
                e.upstream = std::move(failure);
                co_await refuse(e, p.why.reason);
                co_return false;
            }
        }
        if (stream_.may_read()) {
            if (!in_) in_ = site_.buffers.acquire();
            if (!in_ || !in_.reserve(1)) {
                co_await refuse(error{error_kind::overloaded, "The gateway is out of buffers."}, "overloaded");
                co_return false;
            }
            const io_result r = stream_.read_some(in_.space());
            if (r.status == io_status::ok) {
                if (in_.size() == 0) deadline = site_.loop.now() + limits_.header;
                in_.commit(r.bytes);
                continue;
            }
            if (r.status != io_status::again) co_return false;
        }
        const bool idle = in_.size() == 0;
        auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - site_.loop.now());
        if (idle) {
            in_.release();
            left = !site_.draining ? limits_.idle : served_ == 0 ? first_request_grace : 0ms;
        }
        waiting_idle_ = idle;
        ready how = ready::timeout;
        if (left > 0ms) how = co_await stream_.readable(left);
        waiting_idle_ = false;
        if (how == ready::yes) continue;
        if (idle) {
            stream_.shutdown_write();
        } else {
            co_await refuse(error{error_kind::request_timeout, "The request head came too slowly."}, "header_timeout");
        }
        co_return false;
    }
}

// An answer to a request that has no exchange. The connection closes after it.
awaitable<void> session::refuse(const error& e, std::string_view reason) {
    site_.recorder.refused(reason);
    error_reply reply = make_error_reply(e);
    std::string text;
    http::write_response_head(text, reply.head, false, 1);
    const std::array<std::string_view, 2> pieces{text, reply.body};
    const io_status sent = co_await stream_.write_all(pieces, 5s);
    if (sent == io_status::ok) co_await linger();
}

// Closing with unread bytes in the socket resets the connection and may destroy the answer on its way:
// say that nothing follows, then read what still comes, for a while.
awaitable<void> session::linger() {
    if (stream_.resets()) co_return;
    stream_.shutdown_write();
    in_.release();
    const auto deadline = site_.loop.now() + linger_time;
    std::size_t drained = 0;
    while (drained < linger_bytes) {
        if (stream_.may_read()) {
            const io_result r = drop_some(stream_);
            if (r.status == io_status::eof || r.status == io_status::failed) co_return;
            drained += r.bytes;
            if (r.status == io_status::ok) continue;
        }
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - site_.loop.now());
        ready how = ready::timeout;
        if (left > 0ms) how = co_await stream_.readable(std::min<std::chrono::milliseconds>(left, linger_silence));
        if (how == ready::timeout) co_return;
    }
}

// --- one exchange ---------------------------------------------------------------------------------------

// Says which exchange is served, for as long as it is.
class session::active_scope {
public:
    active_scope(session& s, exchange& x, session_body& body, client_sink& sink) : s_(s) {
        s_.active_ = &x;
        s_.body_ = &body;
        s_.sink_ = &sink;
        ++s_.site_.exchanges;
    }
    ~active_scope() {
        s_.active_ = nullptr;
        s_.body_ = nullptr;
        s_.sink_ = nullptr;
        --s_.site_.exchanges;
    }
    active_scope(const active_scope&) = delete;
    active_scope& operator=(const active_scope&) = delete;

private:
    session& s_;
};

awaitable<session::outcome> session::serve(request_head& head) {
    const std::shared_ptr<const route_table> routes = site_.routes;
    std::string scratch;
    const auto path = http::normalise_path(head.path(), scratch);
    const route* chosen = path ? routes->find(head, *path) : nullptr;
    route_limits_ = chosen != nullptr ? chosen->limits : route_limits{};

    session_body body(stream_, in_, site_.buffers, head, route_limits_.body_stall, route_limits_.body_bytes.value);
    exchange x(*this, head, body);
    const bool may_keep_alive = !site_.draining && served_ < limits_.requests;
    client_sink sink(stream_, x, head, body, route_limits_.write_stall, may_keep_alive);
    set_client(x, sink);
    begin(x, site_.make_request_id(), peer_, chosen != nullptr ? std::string_view{chosen->name} : std::string_view{},
          site_.loop.now());
    {
        const active_scope scope(*this, x, body, sink);
        site_.recorder.began(x);
        if (!path) {
            x.fail(path.error());
        } else if (chosen == nullptr) {
            x.fail(
                error{error_kind::not_found, "No route serves " + head.method + " " + std::string(head.path()) + "."});
        } else {
            co_await run_stages(x, *chosen);
        }
        if (!sink.ended()) co_await finish_reply(x, sink);
    }
    const std::optional<error>& failure = x.failure();
    site_.recorder.ended({x, body.received(), sink.bytes(), failure ? &*failure : nullptr, sink.ended()});

    if (closing_ || !sink.keep_alive() || !sink.ended()) co_return outcome::close;
    body.release();
    if (body.complete()) co_return outcome::keep;
    const bool discarded = co_await body.discard();
    co_return discarded ? outcome::keep : outcome::close;
}

awaitable<void> session::run_stages(exchange& x, const route& chosen) {
    if (!route_limits_.tolerate_half_close) {
        if (stream_.hung_up()) co_return x.fail(error_of(abort_reason::client_gone));
        stream_.watch_hang_up(
            [](void* self) { static_cast<session*>(self)->active_->abort(abort_reason::client_gone); }, this);
    }
    site_.loop.timers().arm(*this, site_.loop.now() + route_limits_.total);
    bool unwound = false;
    try {
        co_await next_stage(chosen.stages)(x);
    } catch (const std::exception& e) {
        unwound = true;
        // An abort unwinds by exception. Any other one is a bug.
        if (x.aborted() == abort_reason::none) {
            site_.recorder.bug(e.what());
            x.fail(error{error_kind::internal, "The gateway failed to serve this request."});
        }
    }
    stream_.watch_hang_up(nullptr, nullptr);
    site_.loop.timers().disarm(*this);
    if (x.aborted() == abort_reason::none) co_return;
    // From here on the session itself may wait again. An abort that came behind the last byte changed nothing.
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    if (unwound || !sink_->ended()) x.fail(error_of(x.aborted()));
}

awaitable<void> session::finish_reply(exchange& x, client_sink& sink) {
    if (!x.failure()) {
        x.fail(sink.started() ? error{error_kind::internal, "The reply was left unfinished."}
                              : error{error_kind::not_found, "No stage of this route answered."});
    }
    const error& e = *x.failure();
    if (e.kind == error_kind::client_gone || e.kind == error_kind::client_write_stall) {
        stream_.reset_on_close();
        x.status = x.status != 0 ? x.status : 499;
        co_return;
    }
    const error_shape shape = error_shape_of(x.request().path());
    if (sink.unsent()) sink.take_back();
    if (sink.started()) {
        sink.break_off(x.failure_told ? std::string{} : make_error_event(e, shape));
        co_return;
    }
    error_reply reply = make_error_reply(e, shape);
    for (const auto field : x.failure_headers) reply.head.headers.set(field.name, field.value);
    try {
        co_await x.respond(std::move(reply.head), reply.body);
    } catch (const boost::system::system_error&) {
        stream_.reset_on_close();  // the client went while its error was written
    } catch (const std::exception& bug) {
        site_.recorder.bug(bug.what());
        stream_.reset_on_close();
    }
}

awaitable<result<void>> session::tunnel(upstream_connection& upstream, response_head& head) {
    // What stands behind the request's body is the client's first word in the new protocol.
    if (!body_->complete())
        co_return error{error_kind::bad_request, "The request to switch protocols is not complete."};
    const bool realtime = is_realtime(*active_, head);
    if (realtime && head.headers.contains("sec-websocket-extensions"))
        co_return error{error_kind::upstream_protocol,
                        "The upstream chose a WebSocket extension that was not offered."};
    active_->release_body();
    // The switch itself is hop-by-hop, and this is the one reply on which it passes.
    const std::string protocol{head.headers.find("upgrade").value_or("")};
    http::remove_hop_by_hop(head.headers);
    head.headers.add("Upgrade", protocol);
    stream_.watch_hang_up(nullptr, nullptr);
    co_await sink_->switch_protocols(head);
    http1_link& link = link_of(upstream);
    tunnel_end here{stream_, std::string(in_.data())};
    tunnel_end there{link.socket(), std::string(link.leftover())};
    in_.release();
    closing_ = true;
    result<void> done;
    if (realtime) {
        const realtime_limits limits{limits_.websocket_message_bytes.value, limits_.tunnel_idle};
        done = co_await run_realtime(*active_, here, there, site_.buffers, limits);
    } else {
        co_await run_tunnel(here, there, site_.buffers, limits_.tunnel_idle, 5s);
    }
    active_->reply_bytes = static_cast<std::int64_t>(there.bytes);
    co_return done;
}

void session::cancel(exchange&) {
    signal_.emit(asio::cancellation_type::terminal);
}

void session::expired() {
    if (active_ != nullptr) {
        active_->abort(abort_reason::total_timeout);
    } else if (waiting_idle_) {
        stream_.end_readable();
    }
}

void session::drain() {
    closing_ = true;
    if (sink_ != nullptr) sink_->close_after_reply();
    if (!waiting_idle_) return;
    if (served_ == 0) {
        site_.loop.timers().arm(*this, site_.loop.now() + first_request_grace);
    } else {
        stream_.end_readable();
    }
}

void session::cut(abort_reason why) {
    closing_ = true;
    if (sink_ != nullptr) sink_->close_after_reply();
    if (active_ != nullptr && active_->aborted() == abort_reason::none) {
        active_->abort(why);
    } else {
        signal_.emit(asio::cancellation_type::terminal);
    }
}

}  // namespace sluice::net
