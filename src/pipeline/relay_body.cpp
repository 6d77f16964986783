#include "pipeline/relay_body.hpp"

#include "http/sse_reader.hpp"
#include "http/usage_scanner.hpp"

#include <algorithm>
#include <functional>

namespace sluice {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr std::string_view ping_comment = ": ping\n\n";

bool lies_in(std::string_view whole, std::string_view part) {
    const std::less_equal<> before;
    return before(whole.data(), part.data()) && before(part.data() + part.size(), whole.data() + whole.size());
}

// What one reply needs while it passes.
class reply_relay {
public:
    reply_relay(exchange& x, upstream_connection& upstream, const relay_config& config, const clock& time)
        : x_(x), upstream_(upstream), config_(config), time_(time), events_(config.event_bytes.value) {
        const upstream_target& t = *x.target;
        idle_ = t.idle.count() > 0 ? t.idle : t.endpoint->timeouts.idle;
    }

    awaitable<void> plain(response_head& head);
    awaitable<void> sse(response_head& head);

private:
    awaitable<result<body_piece>> next_piece(bool may_ping);
    awaitable<void> pass(const event& e);
    awaitable<void> pass_events(std::string_view bytes);
    awaitable<void> pass_run(std::string_view run);
    void see(const event& e) {
        for (observer* o : x_.observers()) o->see(e);
    }

    exchange& x_;
    upstream_connection& upstream_;
    const relay_config& config_;
    const clock& time_;
    http::sse_reader events_;
    http::usage_scanner usage_;
    milliseconds idle_;
};

// Waits for the next bytes. While a stream is silent the client gets comments, which do not re-arm the
// upstream's deadline.
awaitable<result<body_piece>> reply_relay::next_piece(bool may_ping) {
    if (!upstream_.buffered()) co_await x_.session().flush();
    const auto from = time_.now();
    milliseconds silent{0};
    for (;;) {
        const bool pings = may_ping && config_.ping.count() > 0;
        const milliseconds patience = pings ? std::min(config_.ping, idle_ - silent) : idle_;
        auto piece = co_await upstream_.receive(patience);
        const bool timed_out = !piece && piece.error().kind == error_kind::upstream_idle_timeout;
        silent += patience;
        if (!timed_out || silent >= idle_) {
            x_.upstream_time += time_.now() - from;
            if (timed_out) co_return error{error_kind::upstream_idle_timeout, "The upstream's stream stalled."};
            co_return piece;
        }
        const event ping{event::form::piece, ping_comment, {}, {}};
        co_await x_.reply().write(ping);
        co_await x_.session().flush();
    }
}

awaitable<void> reply_relay::pass(const event& e) {
    see(e);
    co_await x_.reply().write(e);
}

awaitable<void> reply_relay::plain(response_head& head) {
    // A small chunked answer is whole in the first piece: with its length known it goes out in one write.
    std::optional<body_piece> first;
    if (head.body == framing::chunked && upstream_.buffered()) {
        auto piece = co_await upstream_.receive(idle_);
        if (!piece) co_return x_.fail(piece.error());
        first = *piece;
        if (first->last) {
            head.body = framing::length;
            head.content_length = first->data.size();
        }
    }
    for (observer* o : x_.observers()) o->see_head(head);
    co_await x_.reply().head(head);
    const bool metered = !x_.model.empty();
    for (;;) {
        if (!first) {
            auto piece = co_await next_piece(false);
            if (!piece) co_return x_.fail(piece.error());
            first = *piece;
        }
        const body_piece piece = *std::exchange(first, std::nullopt);
        if (!piece.data.empty()) {
            if (metered) usage_.feed(piece.data);
            const event e{event::form::piece, piece.data, piece.data, {}};
            co_await pass(e);
        }
        if (piece.last) break;
    }
    if (metered) x_.usage = usage_.usage();
    co_await x_.reply().end();
}

awaitable<void> reply_relay::sse(response_head& head) {
    for (observer* o : x_.observers()) o->see_head(head);
    co_await x_.reply().head(head);
    x_.release_body();  // no attempt will follow, and a stream may be long
    for (;;) {
        auto piece = co_await next_piece(true);
        if (!piece) {
            x_.usage = usage_.usage();
            co_return x_.fail(piece.error());
        }
        if (!piece->data.empty()) co_await pass_events(piece->data);
        x_.usage = usage_.usage();
        if (x_.failure()) co_return;
        if (piece->last) break;
    }
    // An event without its blank line was never one; the bytes still belong to the client.
    if (!events_.rest().empty()) co_await pass_run(events_.rest());
    co_await x_.reply().end();
}

// Events that stand side by side go out in one write, unless someone asked for each.
awaitable<void> reply_relay::pass_events(std::string_view bytes) {
    if (!x_.model.empty()) usage_.feed(bytes);
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
            continue;
        }
        if (!lies_in(bytes, found.raw)) {
            // It began in an earlier piece: the reader's copy of it dies when the next event is asked for.
            co_await pass_run(found.raw);
            continue;
        }
        if (!run.empty() && run.data() + run.size() == found.raw.data()) {
            run = {run.data(), run.size() + found.raw.size()};
            continue;
        }
        if (!run.empty()) co_await pass_run(run);
        run = found.raw;
    }
    if (!run.empty()) co_await pass_run(run);
    if (events_.too_large()) {
        x_.fail(error{error_kind::upstream_event_too_large, "An event of the stream is larger than the gateway allows."});
    }
}

awaitable<void> reply_relay::pass_run(std::string_view run) {
    const event e{event::form::piece, run, run, {}};
    co_await pass(e);
}

}  // namespace

awaitable<void> relay_reply(exchange& x, upstream_connection& upstream, response_head& head, const relay_config& config,
                            const clock& time) {
    reply_relay r(x, upstream, config, time);
    if (head.has_content_type("text/event-stream")) {
        co_await r.sse(head);
    } else {
        co_await r.plain(head);
    }
}

}  // namespace sluice
