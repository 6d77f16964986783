// How a session serves requests that go well, one after the other on one connection, and refuses what it must.
#include "net/session.hpp"
#include "support/gateway_client.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <string>

using namespace sluice;
using namespace sluice::net;
using namespace sluice::net_testing;
using namespace std::chrono_literals;

namespace {

const std::string get = "GET /a HTTP/1.1\r\nHost: gateway\r\n\r\n";

awaitable<void> hello(exchange& x) {
    return x.respond_json(200, "\"hello\"");
}

awaitable<void> refuse(exchange& x) {
    return x.respond_json(401, "{}");
}

awaitable<void> echo(exchange& x) {
    auto text = co_await x.collect_body();
    if (!text) co_return x.fail(text.error());
    co_await x.respond_json(200, *text);
}

awaitable<void> target(exchange& x) {
    const std::string text = x.request().target;
    co_await x.respond_json(200, text);
}

awaitable<void> nothing(exchange&) {
    co_return;
}

std::string post(std::string_view body) {
    return "POST /a HTTP/1.1\r\nHost: gateway\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           std::string(body);
}

}  // namespace

TEST_CASE("a session answers and keeps the connection") {
    served s;
    s.stage = hello;
    s.open();
    for (int i = 0; i < 3; ++i) {
        s.client->send(get);
        const auto a = s.reply();
        CHECK(a.status == 200);
        CHECK(a.body == "\"hello\"");
        CHECK(a.says("x-request-id: request-1"));
        CHECK_FALSE(a.says("Connection: close"));
    }
    REQUIRE(s.recorder.ends.size() == 3);
    CHECK(s.recorder.ends[0].complete);
    CHECK(s.recorder.ends[0].status == 200);
    CHECK(s.recorder.ends[0].code.empty());
    CHECK(s.site.exchanges == 0);
    s.w.settle();
    CHECK(s.w.buffers.in_use() == 0);
    s.client->finish();
    s.until_closed();
    CHECK_FALSE(s.threw);
    CHECK(s.site.sessions == 0);
}

TEST_CASE("pipelined requests are answered in order, however they are cut") {
    const std::string wire = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n" + post("two") + "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n";
    for (const std::size_t cut : {std::size_t{1}, std::size_t{20}, std::size_t{40}, wire.size() - 30, wire.size()}) {
        served s;
        s.stage = [](exchange& x) { return x.request().method == "POST" ? echo(x) : target(x); };
        s.open();
        s.client->send(wire.substr(0, cut));
        s.w.settle();
        s.client->send(wire.substr(cut));
        CHECK(s.reply().body == "/1");
        CHECK(s.reply().body == "two");
        CHECK(s.reply().body == "/3");
    }
}

TEST_CASE("a body that no stage wanted is drained before the next request") {
    served s;
    s.stage = [](exchange& x) { return x.request().method == "POST" ? refuse(x) : hello(x); };
    s.open();
    s.client->send(post("GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n") + get);
    CHECK(s.reply().status == 401);
    CHECK(s.reply().status == 200);
    CHECK(s.recorder.ends.size() == 2);
    // One that comes late, in pieces.
    s.client->send("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab");
    CHECK(s.reply().status == 401);
    s.client->send("c\r\n0\r\n\r\n" + get);
    CHECK(s.reply().status == 200);
}

TEST_CASE("a large body that no stage wanted ends the connection, and the answer says so") {
    served s;
    s.stage = refuse;
    s.open();
    s.client->send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nsome");
    const auto a = s.reply();
    CHECK(a.status == 401);
    CHECK(a.says("Connection: close"));
    // What still comes is read, so that the answer is not destroyed by a reset.
    s.client->send(std::string(300'000, 'x'));
    CHECK(s.client->receive_rest().empty());
    CHECK(s.client->ended());
    s.client->finish();
    s.until_closed();
}

TEST_CASE("100 Continue is sent when a stage wants the body, and only then") {
    const std::string head = "POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
    served s;
    s.stage = echo;
    s.open();
    s.client->send(head);
    CHECK(s.client->receive_through("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
    s.client->send("body");
    const auto a = s.reply();
    CHECK(a.status == 200);
    CHECK(a.body == "body");
    CHECK_FALSE(a.says("Connection: close"));

    served refused;
    refused.stage = refuse;
    refused.open();
    refused.client->send(head);
    const auto b = refused.reply();
    CHECK(b.status == 401);
    CHECK(b.says("Connection: close"));
    refused.client->finish();
    refused.until_closed();

    // A client that did not wait is not told to go on.
    served eager;
    eager.stage = echo;
    eager.open();
    eager.client->send(head + "body");
    CHECK(eager.reply().body == "body");
}

TEST_CASE("HEAD is answered without a body but with its length") {
    served s;
    s.stage = hello;
    s.open();
    s.client->send("HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n" + get);
    const auto a = s.reply(true);
    CHECK(a.status == 200);
    CHECK(a.says("Content-Length: 7"));
    CHECK(s.reply().body == "\"hello\"");
}

TEST_CASE("HTTP/1.0 closes behind the reply, unless it asked for more") {
    served s;
    s.stage = hello;
    s.open();
    s.client->send("GET /a HTTP/1.0\r\n\r\n");
    CHECK(s.client->receive_rest().ends_with("\"hello\""));
    CHECK(s.client->ended());

    served kept;
    kept.stage = hello;
    kept.open();
    kept.client->send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    CHECK(kept.reply().says("Connection: keep-alive"));
    kept.client->send("GET /a HTTP/1.0\r\n\r\n");
    CHECK(kept.client->receive_rest().ends_with("\"hello\""));
}

TEST_CASE("a client that says close gets its close") {
    served s;
    s.stage = hello;
    s.open();
    s.client->send("GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    CHECK(s.reply().says("Connection: close"));
    CHECK(s.client->receive_rest().empty());
    s.client->finish();
    s.until_closed();
}

TEST_CASE("a connection serves no more requests than allowed, and the last answer says so") {
    served s;
    s.limits.requests = 2;
    s.stage = hello;
    s.open();
    s.client->send(get + get + get);
    CHECK_FALSE(s.reply().says("Connection: close"));
    CHECK(s.reply().says("Connection: close"));
    CHECK(s.client->receive_rest().empty());
    CHECK(s.recorder.ends.size() == 2);
}

TEST_CASE("what is not HTTP is answered once, and nothing behind it is read") {
    served s;
    s.stage = hello;
    s.open();
    s.client->send("GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" +
                   get);
    const auto a = s.reply();
    CHECK(a.status == 400);
    CHECK(a.says("Connection: close"));
    CHECK(s.client->receive_rest().empty());
    CHECK(s.recorder.ends.empty());
    CHECK(s.recorder.refusals.size() == 1);
    s.client->finish();
    s.until_closed();
}

TEST_CASE("no route, no answer by any stage: both are told") {
    served s;
    s.stage = nothing;
    s.open();
    s.client->send(get);
    const auto a = s.reply();
    CHECK(a.status == 404);
    CHECK(a.body.find("No stage") != std::string::npos);
    s.client->send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(s.reply().status == 404);
    s.client->send("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(s.reply().status == 400);
    CHECK(s.recorder.ends.size() == 3);
}

TEST_CASE("a head that comes too slowly is answered with 408, silence with nothing") {
    served s;
    s.limits.header = 40ms;
    s.stage = hello;
    s.open();
    s.client->send("GET /a HT");
    CHECK(s.reply().status == 408);
    s.client->close();
    s.until_closed();

    served idle;
    idle.limits.idle = 40ms;
    idle.stage = hello;
    idle.open();
    CHECK(idle.client->receive_rest().empty());
    CHECK(idle.client->ended());
    idle.until_closed();
}

TEST_CASE("a head that drips does not extend its deadline") {
    served s;
    s.limits.header = 60ms;
    s.stage = hello;
    s.open();
    run_until(s.w.io, [&] {
        if (s.client->received().empty()) (void)::send(s.client->fd(), "G", 1, MSG_NOSIGNAL);
        return !s.client->received().empty() || s.client->over();
    });
    CHECK(s.recorder.refusals.size() == 1);
}

TEST_CASE("out of buffers is 503 with a time to come back") {
    served s(1);
    s.stage = hello;
    s.open();
    s.client->send(get);
    const auto a = s.reply();
    CHECK(a.status == 503);
    CHECK(a.says("Retry-After: 1"));
    CHECK(s.client->receive_rest().empty());
    CHECK(s.client->ended());  // not reset: what came is read, though no buffer is to be had
    s.client->close();
    s.until_closed();
}

TEST_CASE("bodies are collected whole: short, long, chunked, at the limit") {
    served s;
    s.route.body_bytes.value = 1 << 20;
    s.stage = echo;
    s.open();
    const std::string large(1 << 20, 'x');
    s.client->send(post("{}"));
    CHECK(s.reply().body == "{}");
    s.client->send(post(large));
    CHECK((s.reply().body == large));
    s.client->send("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n80000\r\n" +
                   large.substr(0, 0x80000) + "\r\n80000\r\n" + large.substr(0x80000) + "\r\n0\r\n\r\n");
    CHECK((s.reply().body == large));
    s.client->send(post(""));
    CHECK(s.reply().body.empty());
    CHECK(s.recorder.ends.at(1).bytes_in == large.size());
    s.w.settle();
    CHECK(s.w.buffers.in_use() == 0);
}

TEST_CASE("a body over the limit is 413: declared before it is read, chunked as soon as it is passed") {
    served s;
    s.route.body_bytes.value = 10;
    s.stage = echo;
    s.open();
    s.client->send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n");
    const auto a = s.reply();
    CHECK(a.status == 413);
    CHECK(a.says("Connection: close"));
    CHECK(s.w.buffers.in_use() <= 16384);

    served chunked;
    chunked.route.body_bytes.value = 10;
    chunked.stage = echo;
    chunked.open();
    chunked.client->send("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n12345678\r\n8\r\n");
    chunked.client->send("12345678\r\n");
    const auto b = chunked.reply();
    CHECK(b.status == 413);
    CHECK(b.says("Connection: close"));
}

TEST_CASE("a body that stalls is 408, and one that only promises much holds little memory") {
    served s;
    s.route.body_stall = 100ms;
    s.route.body_bytes.value = 32u << 20;
    s.stage = echo;
    s.open();
    s.client->send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 33554432\r\n\r\nfour");
    s.w.settle();
    CHECK(s.w.buffers.in_use() <= 512 * 1024);
    const auto a = s.reply();
    CHECK(a.status == 408);
    CHECK(a.says("Connection: close"));
    CHECK(s.recorder.ends.at(0).code == "request_timeout");
}

TEST_CASE("a body that drips is 408 as well, though no single pause is long") {
    served s;
    s.route.body_stall = 100ms;
    s.stage = echo;
    s.open();
    s.client->send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
    // Several bytes in a millisecond, so that each wait is far shorter than one; but few of what is allowed.
    run_until(s.w.io, [&] {
        (void)::send(s.client->fd(), "x", 1, MSG_NOSIGNAL);
        s.w.io.run_for(200us);
        return !s.client->received().empty() || s.client->over();
    });
    CHECK(s.reply().status == 408);
}

TEST_CASE("malformed chunks are 400, and the connection closes") {
    served s;
    s.stage = echo;
    s.open();
    s.client->send("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
    const auto a = s.reply();
    CHECK(a.status == 400);
    CHECK(a.says("Connection: close"));
    CHECK(s.client->receive_rest().empty());
}
