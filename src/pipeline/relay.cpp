#include "pipeline/relay.hpp"

#include "http/retry_after.hpp"
#include "pipeline/relay_body.hpp"

#include <algorithm>
#include <utility>

namespace sluice {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using connection_ptr = std::unique_ptr<upstream_connection>;

// Adds the time until its end to what the exchange spent waiting for upstreams.
class stopwatch {
public:
    stopwatch(exchange& x, const clock& time) : x_(x), time_(time), from_(time.now()) {}
    // What comes behind the wait within this turn of the loop is not the upstream's time.
    ~stopwatch() { x_.upstream_time += std::max(time_.recent() - from_, clock::time_point::duration{0}); }
    stopwatch(const stopwatch&) = delete;
    stopwatch& operator=(const stopwatch&) = delete;

private:
    exchange& x_;
    const clock& time_;
    clock::time_point from_;
};

// Notes the call for the trace, however it ends.
class call_note {
public:
    call_note(exchange& x, const clock& time) : x_(x), time_(time) {
        if (!x.trace_sampled) return;
        upstream_call& c = x.calls.emplace_back();
        c.span_id = call_span(x);
        c.endpoint = x.target->endpoint;
        c.model = x.target->model;
        c.start = time.now();
    }
    ~call_note() {
        if (!x_.trace_sampled) return;
        upstream_call& c = x_.calls.back();
        c.end = time_.now();
        c.status = x_.upstream_status;
        if (x_.failure()) c.failure = x_.failure()->kind;
    }
    call_note(const call_note&) = delete;
    call_note& operator=(const call_note&) = delete;

private:
    exchange& x_;
    const clock& time_;
};

milliseconds first_of(milliseconds special, milliseconds general) {
    return special.count() > 0 ? special : general;
}

std::string target_of(const exchange& x) {
    const upstream_target& t = *x.target;
    std::string target;
    target.reserve(t.endpoint->base_path.size() + t.path.size() + x.request().target.size() + 1);
    target += t.endpoint->base_path;
    if (t.path.empty()) {
        target += x.request().target;
    } else {
        target += t.path;
        if (!t.translated && !x.request().query().empty() && t.path.find('?') == std::string::npos)
            target.append("?").append(x.request().query());
    }
    return target;
}

// The request's body as it goes out: whole when it was collected.
struct outgoing {
    std::vector<std::string_view> pieces;  // the first is for the head
    bool streams_body = false;
};

// What comes behind the head, and how it is delimited.
struct outgoing_body {
    framing how = framing::none;
    std::uint64_t length = 0;
};

outgoing_body prepare_body(exchange& x, outgoing& out) {
    const request_head& request = x.request();
    outgoing_body body;
    out.pieces.reserve(4);
    out.pieces.emplace_back();
    if (x.outgoing_body) {
        out.pieces.emplace_back(*x.outgoing_body);
        body = {framing::length, x.outgoing_body->size()};
    } else if (x.collected()) {
        x.edits().pieces(x.collected_body(), out.pieces);
        for (std::size_t i = 1; i < out.pieces.size(); ++i) body.length += out.pieces[i].size();
        if (body.length > 0 || request.body != framing::none) body.how = framing::length;
    } else if (request.body != framing::none) {
        const auto declared = x.body().length();
        body.length = declared.value_or(0);
        body.how = declared ? framing::length : framing::chunked;
        out.streams_body = !declared || *declared > 0;
    }
    return body;
}

// Passes an uncollected body on, piece by piece. Stops when the upstream answers early: it will not read the rest.
awaitable<result<void>> stream_body(exchange& x, upstream_connection& upstream, milliseconds stall) {
    for (;;) {
        auto piece = co_await x.body().read();
        if (!piece) co_return piece.error();
        const bool last = piece->empty();
        auto sent = co_await upstream.send_body(*piece, last, stall);
        if (!sent) co_return sent.error();
        if (last || upstream.answered()) co_return result<void>{};
    }
}

struct answer {
    connection_ptr upstream;
    response_head* head = nullptr;
};

// One try on one connection: the request out, the head of the answer in.
awaitable<result<response_head*>> ask(exchange& x, upstream_connection& upstream, const outgoing_request& request,
                                      outgoing& out) {
    const upstream_timeouts& limits = x.target->endpoint->timeouts;
    auto sent = co_await upstream.send(request, out.pieces, !out.streams_body, limits.idle);
    if (sent && out.streams_body) sent = co_await stream_body(x, upstream, limits.idle);
    if (!sent) {
        // It may have refused the request and closed: then its answer says more than our broken pipe.
        if (traits(sent.error().kind).whose != blame::upstream || !upstream.answered()) co_return sent.error();
        auto early = co_await upstream.receive_head(x.request().method, 1000ms);
        if (!early) co_return sent.error();
        co_return *early;
    }
    co_return co_await upstream.receive_head(x.request().method, first_of(x.target->first_byte, limits.first_byte));
}

awaitable<result<answer>> call(exchange& x, upstream_pool& pool, const outgoing_request& request, outgoing& out) {
    for (reuse pooled : {reuse::allowed, reuse::never}) {
        answer got;
        if (pooled == reuse::allowed) got.upstream = pool.pooled(*x.target->endpoint);
        if (!got.upstream) {
            auto opened = co_await pool.open(*x.target->endpoint, pooled);
            if (!opened) co_return opened.error();
            got.upstream = std::move(*opened);
        }
        auto head = co_await ask(x, *got.upstream, request, out);
        if (head) {
            got.head = *head;
            co_return std::move(got);
        }
        // A pooled connection may have been closed at the other side while our request was on its way.
        const bool stale = got.upstream->reused() && !got.upstream->got_bytes() &&
                           head.error().kind == error_kind::upstream_reset && x.replayable();
        if (!stale) co_return head.error();
    }
    co_return error{error_kind::upstream_reset, "The upstream closed the connection before it answered."};
}

// Keeps an upstream's error back, so that another target may be tried and the last one's be passed on.
awaitable<error> hold_back(answer& got, const relay_config& config, const clock& time, milliseconds idle) {
    auto failure = std::make_shared<upstream_failure>();
    failure->status = got.head->status;
    failure->content_type = got.head->headers.find("content-type").value_or("");
    error e{error_kind::upstream_status, "The upstream answered with status " + std::to_string(got.head->status) + "."};
    if (const auto wait = got.head->headers.find("retry-after")) {
        e.retry_after = http::parse_retry_after(*wait, time.wall()).value_or(0ms);
    }
    // Half a JSON text helps nobody: what is too long, too slow or coded is left out.
    const auto until = time.now() + idle;
    for (bool whole = got.head->headers.contains("content-encoding"); !whole;) {
        auto piece = co_await got.upstream->receive(idle);
        if (!piece || failure->body.size() + piece->data.size() > config.held_back_bytes.value || time.now() > until) {
            failure->body.clear();
            break;
        }
        failure->body.append(piece->data);
        whole = piece->last;
    }
    e.upstream = std::move(failure);
    co_return e;
}

awaitable<void> switch_protocols(exchange& x, answer& got, const relay_config& config) {
    if (!config.upgrade || !x.request().upgrade) {
        x.fail(error{error_kind::upstream_protocol, "The upstream switched protocols without being asked."});
        co_return;
    }
    auto done = co_await x.session().tunnel(*got.upstream, *got.head);
    if (!done) x.fail(done.error());
}

}  // namespace

void read(config_reader& r, relay_config& c) {
    r.field("ping", c.ping, "A comment to the client each time a stream was silent for so long; 0s sends none.");
    r.field("event_bytes", c.event_bytes, "Largest event of a stream; a larger one ends it with an error.",
            {.min = 1024});
    r.field("held_back_bytes", c.held_back_bytes, "How much of an upstream's error is kept for the client.");
    r.field("upgrade", c.upgrade, "Let WebSocket connections through.");
}

awaitable<void> relay(exchange& x, upstream_pool& pool, const relay_config& config, const clock& time) {
    ++x.attempts;
    x.upstream_status = 0;
    const call_note note(x, time);
    const upstream_target& t = *x.target;
    outgoing out;
    const outgoing_body body = prepare_body(x, out);
    const std::string target = target_of(x);
    header_list headers;
    filter_request_headers(x, headers);
    if (t.authorizer != nullptr) {
        const std::vector<std::string_view> body_pieces(out.pieces.begin() + 1, out.pieces.end());
        auto authorized =
            co_await t.authorizer->authorize(x.request().method, t.endpoint->host_header, target, body_pieces, headers);
        if (!authorized) co_return x.fail(authorized.error());
    }
    const bool upgrades = config.upgrade && x.request().upgrade;
    const auto protocol = upgrades ? x.request().headers.find("upgrade") : std::nullopt;
    const outgoing_request request{x.request().method,
                                   target,
                                   t.endpoint->host_header,
                                   headers,
                                   body.how,
                                   body.length,
                                   protocol.value_or(std::string_view{})};

    std::optional<stopwatch> waiting(std::in_place, x, time);
    auto got = co_await call(x, pool, request, out);
    headers = {};  // a long answer does not hold what was asked
    waiting.reset();
    if (!got) co_return x.fail(got.error());

    x.upstream_status = got->head->status;
    if (got->head->status == 101) {
        co_await switch_protocols(x, *got, config);
        co_return;
    }
    if (x.hold_back != nullptr && x.hold_back(got->head->status)) {
        error e = co_await hold_back(*got, config, time, x.target->endpoint->timeouts.idle);
        co_return x.fail(std::move(e));
    }
    filter_response_headers(x, got->head->headers);
    co_await relay_reply(x, *got->upstream, *got->head, config, time);
}

}  // namespace sluice
