#include "pipeline/relay_body.hpp"

#include "http/sse_reader.hpp"
#include "http/usage_scanner.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

namespace sluice {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr std::string_view ping_comment = ": ping\n\n";

bool lies_in(std::string_view whole, std::string_view part) {
    const std::less_equal<> before;
    return before(whole.data(), part.data()) && before(part.data() + part.size(), whole.data() + whole.size());
}

// What one reply needs while it passes. Lives on the frame of the one coroutine per reply.
class reply_relay {
public:
    reply_relay(exchange& x, upstream_connection& upstream, const relay_config& config, const clock& time)
        : x_(x), upstream_(upstream), config_(config), time_(time), events_(config.event_bytes.value) {
        const upstream_target& t = *x.target;
        idle_ = t.idle.count() > 0 ? t.idle : t.endpoint->timeouts.idle;
    }

    // A small chunked answer is whole in the first piece: with its length known it goes out in one write.
    std::optional<result<body_piece>> first_piece(response_head& head);
    // Waits for what receive_now() of the connection does not have.
    awaitable<result<body_piece>> next_piece(bool may_ping);
    awaitable<void> pass_events(std::string_view bytes);
    // The event must live until what this returns was awaited.
    awaitable<void> pass(const event& e) {
        for (observer* o : x_.observers()) o->see(e);
        return x_.reply().write(e);
    }
    // Before the bytes pass: what the client then fails to take was still delivered to us.
    void meter(std::string_view bytes) {
        if (x_.model.empty() || x_.target->translated) return;  // who translates reads the usage too
        usage_.feed(bytes);
        x_.usage = usage_.usage();
    }
    std::string_view rest() const { return events_.rest(); }

private:
    exchange& x_;
    upstream_connection& upstream_;
    const relay_config& config_;
    const clock& time_;
    http::sse_reader events_;
    http::usage_scanner usage_;
    milliseconds idle_;
};

event piece_of(std::string_view bytes) {
    return {event::form::piece, bytes, bytes, {}};
}

// Waits for the next bytes. While a stream is silent the client gets comments, which do not re-arm the
// upstream's deadline.
awaitable<result<body_piece>> reply_relay::next_piece(bool may_ping) {
    if (x_.session().unflushed() && !upstream_.buffered()) co_await x_.session().flush();
    const auto from = time_.now();
    milliseconds silent{0};
    for (;;) {
        const bool pings = may_ping && config_.ping.count() > 0;
        const milliseconds patience = pings ? std::min(config_.ping, idle_ - silent) : idle_;
        auto piece = co_await upstream_.receive(patience);
        const bool timed_out = !piece && piece.error().kind == error_kind::upstream_idle_timeout;
        silent += patience;
        if (!timed_out || silent >= idle_) {
            x_.upstream_time += std::max(time_.recent() - from, clock::time_point::duration{0});
            if (timed_out) co_return error{error_kind::upstream_idle_timeout, "The upstream's stream stalled."};
            co_return piece;
        }
        const event ping{x_.wants_events() ? event::form::sse : event::form::piece, ping_comment, {}, {}};
        co_await x_.reply().write(ping);
        co_await x_.session().flush();
    }
}

std::optional<result<body_piece>> reply_relay::first_piece(response_head& head) {
    if (head.body != framing::chunked) return std::nullopt;
    auto piece = upstream_.receive_now();
    if (piece && *piece && (*piece)->last) {
        head.body = framing::length;
        head.content_length = (*piece)->data.size();
    }
    return piece;
}

awaitable<void> relay_plain(exchange& x, upstream_connection& upstream, response_head& head, const relay_config& config,
                            const clock& time) {
    reply_relay r(x, upstream, config, time);
    std::optional<result<body_piece>> piece = r.first_piece(head);
    if (piece && !*piece) co_return x.fail(piece->error());
    for (observer* o : x.observers()) o->see_head(head);
    co_await x.reply().head(head);
    while (!x.failure()) {
        if (!piece) piece = upstream.receive_now();
        if (!piece) piece = co_await r.next_piece(false);
        if (!*piece) co_return x.fail(piece->error());
        const body_piece here = **piece;
        piece.reset();
        if (!here.data.empty()) {
            r.meter(here.data);
            const event e = piece_of(here.data);
            co_await r.pass(e);
        }
        if (here.last) break;
    }
    if (!x.failure()) co_await x.reply().end();
}

awaitable<void> relay_sse(exchange& x, upstream_connection& upstream, response_head& head, const relay_config& config,
                          const clock& time) {
    reply_relay r(x, upstream, config, time);
    // Comments may be added and the usage event left out: the length is ours to find.
    const bool cut_unnoticed = head.body == framing::until_close;
    if (head.body != framing::none) head.body = framing::chunked;
    for (observer* o : x.observers()) o->see_head(head);
    co_await x.reply().head(head);
    if (x.failure()) co_return;
    x.release_body();  // no attempt will follow, and a stream may be long
    for (;;) {
        std::optional<result<body_piece>> piece = upstream.receive_now();
        if (!piece) piece = co_await r.next_piece(true);
        if (!*piece) co_return x.fail(piece->error());
        const body_piece here = **piece;
        if (!here.data.empty()) co_await r.pass_events(here.data);
        if (x.failure()) co_return;
        if (here.last) break;
    }
    // An event without its blank line was never one; the bytes still belong to the client. Without a framing of
    // its own a stream that ends inside a line was cut.
    const std::string_view rest = r.rest();
    if (cut_unnoticed && !rest.empty() && rest.back() != '\n' && rest.back() != '\r') {
        co_return x.fail(error{error_kind::upstream_reset, "The upstream's stream ended inside an event."});
    }
    if (!rest.empty()) {
        const event e = piece_of(rest);
        co_await r.pass(e);
    }
    if (!x.failure()) co_await x.reply().end();
}

// Events that stand side by side go out in one write, unless someone asked for each.
awaitable<void> reply_relay::pass_events(std::string_view bytes) {
    meter(bytes);
    events_.feed(bytes);
    const bool singly = x_.wants_events();
    std::string_view run;
    http::sse_event found;
    while (events_.next(found)) {
        if (x_.hide_usage_event && http::is_usage_only_chunk(found.data)) continue;
        if (found.has_data) ++x_.reply_events;
        if (singly) {
            const event e{event::form::sse, found.raw, found.data, found.name};
            co_await pass(e);
            if (x_.failure()) co_return;
            continue;
        }
        if (!lies_in(bytes, found.raw)) {
            // It began in an earlier piece: the reader's copy of it dies when the next event is asked for.
            const event e = piece_of(found.raw);
            co_await pass(e);
            continue;
        }
        if (!run.empty() && run.data() + run.size() == found.raw.data()) {
            run = {run.data(), run.size() + found.raw.size()};
            continue;
        }
        if (!run.empty()) {
            const event e = piece_of(run);
            co_await pass(e);
        }
        run = found.raw;
    }
    if (!run.empty()) {
        const event e = piece_of(run);
        co_await pass(e);
    }
    if (events_.too_large()) {
        x_.fail(
            error{error_kind::upstream_event_too_large, "An event of the stream is larger than the gateway allows."});
    }
}

}  // namespace

awaitable<void> relay_reply(exchange& x, upstream_connection& upstream, response_head& head, const relay_config& config,
                            const clock& time) {
    const auto coding = head.headers.find("content-encoding");
    const bool readable = !coding || iequals(*coding, "identity");
    const bool events = readable && head.has_content_type("text/event-stream");
    return (events ? relay_sse : relay_plain)(x, upstream, head, config, time);
}

}  // namespace sluice
