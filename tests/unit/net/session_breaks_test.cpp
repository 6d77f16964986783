// How a session ends exchanges that go wrong: hang-ups, timeouts, bugs, broken replies, drains.
#include "net/session.hpp"
#include "support/gateway_client.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>

using namespace sluice;
using namespace sluice::net;
using namespace sluice::net_testing;
using namespace std::chrono_literals;

namespace {

namespace asio = boost::asio;

const std::string get = "GET /a HTTP/1.1\r\nHost: gateway\r\n\r\n";

awaitable<void> hello(exchange& x) {
    return x.respond_json(200, "\"hello\"");
}

// As long as nobody ends it.
awaitable<void> forever(exchange&) {
    const asio::any_io_executor ex = co_await asio::this_coro::executor;
    asio::steady_timer timer(ex, asio::steady_timer::time_point::max());
    co_await timer.async_wait(asio::use_awaitable);
}

awaitable<void> collect_then_wait(exchange& x) {
    auto text = co_await x.collect_body();
    if (!text) co_return x.fail(text.error());
    co_await forever(x);
}

// A reply that begins and then fails, or waits to be ended.
struct broken_reply {
    framing body = framing::chunked;
    std::string type = "text/plain";
    std::string sent = "half";
    std::uint64_t length = 10;
    bool flush = true;
    bool waits = false;

    awaitable<void> operator()(exchange& x) const { return reply(*this, x); }
    static awaitable<void> reply(broken_reply r, exchange& x) {
        response_head h;
        h.body = r.body;
        h.content_length = r.length;
        h.headers.add("Content-Type", r.type);
        co_await x.reply().head(h);
        if (r.flush) co_await x.session().flush();
        if (!r.sent.empty()) {
            const event e{event::form::piece, r.sent, r.sent, {}};
            co_await x.reply().write(e);
        }
        if (r.waits) co_await forever(x);
        x.fail(error{error_kind::upstream_reset, "The upstream broke."});
    }
};

broken_reply stream_reply() {
    broken_reply r;
    r.type = "text/event-stream; charset=utf-8";
    r.sent = "data: 1\n\n";
    return r;
}

awaitable<void> endless(exchange& x) {
    response_head h;
    h.body = framing::chunked;
    h.headers.add("Content-Type", "text/event-stream");
    co_await x.reply().head(h);
    const std::string piece(100'000, 'x');
    const event e{event::form::piece, piece, piece, {}};
    for (;;) co_await x.reply().write(e);
}

awaitable<void> answer_twice(exchange& x) {
    co_await hello(x);
    co_await hello(x);
}

awaitable<void> answer_then_abort(exchange& x) {
    co_await hello(x);
    x.abort(abort_reason::total_timeout);
}

awaitable<void> throw_as_said(exchange& x) {
    const std::string target = x.request().target;
    if (target == "/bug") throw std::runtime_error("secret detail");
    if (target == "/system") throw boost::system::system_error(asio::error::connection_refused);
    throw boost::system::system_error(asio::error::operation_aborted);  // but nobody aborted
    co_return;
}

awaitable<void> hello_when(const bool& go, exchange& x) {
    const asio::any_io_executor ex = co_await asio::this_coro::executor;
    asio::steady_timer timer(ex);
    while (!go) {
        timer.expires_after(1ms);
        co_await timer.async_wait(asio::use_awaitable);
    }
    co_await hello(x);
}

}  // namespace

TEST_CASE("a client that goes away ends its exchange, whatever the exchange waits for") {
    const bool by_reset = GENERATE(false, true);
    served s;
    s.stage = forever;
    s.open();
    s.client->send(get);
    s.w.settle();
    REQUIRE(s.site.exchanges == 1);
    by_reset ? s.client->reset() : s.client->close();
    s.until_closed();
    REQUIRE(s.recorder.ends.size() == 1);
    CHECK(s.recorder.ends[0].code == "client_gone");
    CHECK(s.recorder.ends[0].status == 499);
    CHECK_FALSE(s.recorder.ends[0].complete);
    CHECK(s.recorder.bugs.empty());
    CHECK(s.site.exchanges == 0);
}

TEST_CASE("a client that goes in the same moment as the end of its request ends its exchange as well") {
    const bool with_body = GENERATE(false, true);
    served s;
    s.stage = collect_then_wait;
    s.open();
    if (with_body) {
        s.client->send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n12");
        s.w.settle();
        REQUIRE(::send(s.client->fd(), "34", 2, MSG_NOSIGNAL) == 2);
    } else {
        REQUIRE(::send(s.client->fd(), get.data(), get.size(), MSG_NOSIGNAL) > 0);
    }
    s.client->close();
    s.until_closed();
    REQUIRE(s.recorder.ends.size() == 1);
    CHECK(s.recorder.ends[0].code == "client_gone");
}

TEST_CASE("a half-closed client is served where the route tolerates it") {
    served s;
    s.route.tolerate_half_close = true;
    s.stage = hello;
    s.open();
    s.client->send(get);
    s.client->finish();
    CHECK(s.client->receive_rest().ends_with("\"hello\""));
    s.until_closed();
}

TEST_CASE("a client that goes in the middle of its body is gone") {
    served s;
    s.stage = collect_then_wait;
    s.open();
    s.client->send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nfour");
    s.w.settle();
    s.client->close();
    s.until_closed();
    REQUIRE(s.recorder.ends.size() == 1);
    CHECK(s.recorder.ends[0].code == "client_gone");
}

TEST_CASE("a client that goes while its reply is written ends the exchange") {
    served s;
    s.stage = endless;
    s.open();
    s.client->send(get);
    s.w.settle();
    s.client->reset();
    s.until_closed();
    REQUIRE(s.recorder.ends.size() == 1);
    CHECK(s.recorder.ends[0].code == "client_gone");
    CHECK(s.recorder.ends[0].status == 200);
    CHECK_FALSE(s.recorder.ends[0].complete);
}

TEST_CASE("a client that stops reading is cut after its time") {
    served s;
    s.route.write_stall = 50ms;
    s.stage = endless;
    s.open();
    s.client->send(get);
    s.until_closed();
    REQUIRE(s.recorder.ends.size() == 1);
    CHECK(s.recorder.ends[0].code == "client_write_stall");
    s.client->receive_rest();
    CHECK(s.client->was_reset());
}

TEST_CASE("the total time ends an exchange: 504 before the reply, an error event inside a stream") {
    served s;
    s.route.total = 40ms;
    s.stage = forever;
    s.open();
    s.client->send(get);
    const auto a = s.reply();
    CHECK(a.status == 504);
    CHECK(a.body.find("total_timeout") != std::string::npos);
    // The connection is as good as before.
    s.stage = hello;
    s.client->send(get);
    CHECK(s.reply().status == 200);
    CHECK(s.recorder.ends.at(0).code == "total_timeout");

    served stream;
    stream.route.total = 40ms;
    auto waiting = stream_reply();
    waiting.waits = true;
    stream.stage = waiting;
    stream.open();
    stream.client->send(get);
    const std::string all = stream.client->receive_rest();
    CHECK(all.find("data: {\"error\"") != std::string::npos);
    CHECK(all.find("total_timeout") != std::string::npos);
    CHECK_FALSE(all.ends_with("0\r\n\r\n"));
    CHECK(stream.client->ended());
}

TEST_CASE("a broken reply never looks complete") {
    served s;
    SECTION("chunked: no last chunk") {
        s.stage = broken_reply{};
        s.open();
        s.client->send(get);
        CHECK(s.client->receive_rest().ends_with("4\r\nhalf\r\n"));
    }
    SECTION("with a length: shorter than it") {
        broken_reply r;
        r.body = framing::length;
        s.stage = r;
        s.open();
        s.client->send(get);
        CHECK(s.client->receive_rest().ends_with("\r\n\r\nhalf"));
    }
    SECTION("to HTTP/1.0 without a length: a reset") {
        s.stage = broken_reply{};
        s.open();
        s.client->send("GET /a HTTP/1.0\r\n\r\n");
        s.client->receive_rest();
        CHECK(s.client->was_reset());
        CHECK_FALSE(s.client->ended());
    }
    SECTION("a stream: an error event, and no last chunk") {
        s.stage = stream_reply();
        s.open();
        s.client->send(get);
        const std::string all = s.client->receive_rest();
        CHECK(all.find("9\r\ndata: 1\n\n\r\n") != std::string::npos);
        CHECK(all.find("data: {\"error\"") != std::string::npos);
        CHECK(all.find("[DONE]") == std::string::npos);
        CHECK(all.ends_with("\n\n\r\n"));
    }
    SECTION("a stream to HTTP/1.0: not in chunks, then a reset") {
        s.stage = stream_reply();
        s.open();
        s.client->send("GET /a HTTP/1.0\r\n\r\n");
        const std::string all = s.client->receive_rest();
        CHECK(all.find("\r\n\r\ndata: 1\n\n") != std::string::npos);
        CHECK(s.client->was_reset());
    }
}

TEST_CASE("a body without an end of its own is whole when its reply ended, and gets chunks where it can") {
    served s;
    s.stage = [](exchange& x) -> awaitable<void> {
        response_head h;
        h.body = framing::until_close;
        co_await x.reply().head(h);
        const event e{event::form::piece, "all", "all", {}};
        co_await x.reply().write(e);
        co_await x.reply().end();
    };
    s.open();
    s.client->send(get);
    CHECK(s.client->receive_through("0\r\n\r\n").ends_with("3\r\nall\r\n0\r\n\r\n"));
    s.client->send("GET /a HTTP/1.0\r\n\r\n");
    CHECK(s.client->receive_rest().ends_with("\r\n\r\nall"));
    CHECK(s.client->ended());
}

TEST_CASE("a head of which nothing went out gives way to an error") {
    served s;
    broken_reply r;
    r.sent.clear();
    r.flush = false;
    s.stage = r;
    s.open();
    s.client->send(get);
    const auto a = s.reply();
    CHECK(a.status == 502);
    CHECK(a.body.find("upstream_reset") != std::string::npos);
    CHECK(s.recorder.ends.at(0).status == 502);
    CHECK(s.recorder.ends.at(0).complete);
}

TEST_CASE("no error event is written behind half a write") {
    served s;
    s.route.total = 60ms;
    s.stage = endless;
    s.open();
    s.client->send(get);
    s.w.until([&] { return !s.recorder.ends.empty(); });  // nothing was read: the last write is stuck
    CHECK(s.recorder.ends[0].code == "total_timeout");
    CHECK(s.client->receive_rest().find("error") == std::string::npos);
}

TEST_CASE("more body than announced never reaches the client, and is a bug") {
    served s;
    broken_reply r;
    r.body = framing::length;
    r.sent = "HTTP/1.1 200 OK\r\n\r\n";
    r.length = 4;
    s.stage = r;
    s.open();
    s.client->send(get);
    const std::string all = s.client->receive_rest();
    CHECK(all.rfind("HTTP/1.1") == 0);
    CHECK(all.ends_with("\r\n\r\n"));
    CHECK(s.recorder.bugs.size() == 1);
    CHECK(s.recorder.ends.at(0).code == "internal_error");
}

TEST_CASE("two answers of one exchange are a bug, and the second is not sent") {
    served s;
    s.stage = answer_twice;
    s.open();
    s.client->send(get);
    CHECK(s.reply().body == "\"hello\"");
    s.w.settle();
    CHECK(s.client->received().empty());
    CHECK(s.recorder.bugs.size() == 1);
}

TEST_CASE("an exception of a stage is 500, of whatever kind it is, and the connection goes on") {
    served s;
    s.stage = throw_as_said;
    s.open();
    for (const char* target : {"/bug", "/system", "/aborted"}) {
        s.client->send("GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n");
        const auto a = s.reply();
        CHECK(a.status == 500);
        CHECK(a.body.find("secret") == std::string::npos);
    }
    CHECK(s.recorder.bugs.size() == 3);
    CHECK(s.recorder.ends.size() == 3);
    CHECK(s.site.exchanges == 0);
}

TEST_CASE("an abort behind the last byte of a reply changes nothing about it") {
    served s;
    s.stage = answer_then_abort;
    s.open();
    s.client->send(get + get);
    CHECK(s.reply().status == 200);
    CHECK(s.reply().status == 200);
    REQUIRE(s.recorder.ends.size() == 2);
    CHECK(s.recorder.ends[0].complete);
    CHECK(s.recorder.ends[0].code.empty());
}

TEST_CASE("a drain closes idle connections at once and busy ones behind their reply") {
    served idle;
    idle.stage = hello;
    idle.open();
    idle.client->send(get);
    CHECK(idle.reply().status == 200);
    idle.w.settle();
    idle.site.draining = true;
    idle.session->drain();
    idle.until_closed();
    CHECK_FALSE(idle.threw);
    CHECK(idle.client->receive_rest().empty());
    CHECK(idle.client->ended());

    served busy;
    bool go = false;
    busy.stage = [&go](exchange& x) { return hello_when(go, x); };
    busy.open();
    busy.client->send(get);
    busy.w.settle();
    busy.site.draining = true;
    busy.session->drain();
    busy.w.settle();
    CHECK(busy.session);
    go = true;
    const auto a = busy.reply();
    CHECK(a.status == 200);
    CHECK(a.says("Connection: close"));
    CHECK(busy.client->receive_rest().empty());
    busy.client->finish();
    busy.until_closed();
}

TEST_CASE("a connection that has not asked yet gets a moment for it in a drain") {
    served s;
    s.stage = hello;
    s.open();
    s.w.settle();
    s.site.draining = true;
    s.session->drain();
    s.w.settle();
    s.client->send(get);
    const auto a = s.reply();
    CHECK(a.status == 200);
    CHECK(a.says("Connection: close"));

    served silent;
    silent.site.draining = true;
    silent.stage = hello;
    silent.open();
    silent.session->drain();
    silent.until_closed();
    CHECK(silent.client->receive_rest().empty());
}

TEST_CASE("the end of a drain aborts what still runs, with an answer where one is possible") {
    served s;
    s.stage = forever;
    s.open();
    s.client->send(get);
    s.w.settle();
    s.cut(abort_reason::drain);
    const auto a = s.reply();
    CHECK(a.status == 503);
    CHECK(a.says("Retry-After: 1"));
    CHECK(a.says("Connection: close"));
    CHECK(a.body.find("draining") != std::string::npos);
    s.client->finish();
    s.until_closed();

    served stuck;
    stuck.stage = endless;
    stuck.open();
    stuck.client->send(get);
    stuck.w.settle();
    stuck.cut(abort_reason::drain);
    stuck.w.settle();
    stuck.cut(abort_reason::drain);
    stuck.until_closed();
    CHECK(stuck.recorder.ends.at(0).code == "draining");
}

TEST_CASE("a session can be cut at any point of its life") {
    const std::string request = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    for (std::size_t steps = 0; steps < 40; ++steps) {
        served s;
        s.stage = collect_then_wait;
        s.open();
        REQUIRE(::send(s.client->fd(), request.data(), std::min(request.size(), steps + 20), MSG_NOSIGNAL) > 0);
        for (std::size_t i = 0; i < steps; ++i) s.w.io.poll_one();
        s.cut(abort_reason::shutdown);
        s.client->close();
        s.until_closed();
        CHECK(s.recorder.bugs.empty());
        CHECK(s.recorder.began_count == static_cast<int>(s.recorder.ends.size()));
        CHECK(s.site.exchanges == 0);
        CHECK(s.site.sessions == 0);
    }
}
