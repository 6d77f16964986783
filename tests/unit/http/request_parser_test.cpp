#include "http/request_parser.hpp"

#include "request_driver.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::http;
using namespace sluice::http::test;

namespace {

request_head read(std::string_view wire) {
    request_head head;
    std::size_t scanned = 0;
    const parsed p = parse_request_head(wire, scanned, {}, head);
    REQUIRE(p.state == progress::done);
    REQUIRE(p.consumed == wire.size());
    return head;
}

std::string with(std::string_view fields, int minor = 1) {
    return "POST / HTTP/1." + std::to_string(minor) + "\r\nHost: a\r\n" + std::string{fields} + "\r\n";
}

}  // namespace

TEST_CASE("a request head gives its method, target, host and fields in order") {
    const request_head r = read(
        "POST /v1/chat/completions?x=1 HTTP/1.1\r\n"
        "Host: API.Example.com:8080\r\n"
        "Content-Type:application/json\r\n"
        "X-Twice: 1\r\n"
        "x-twice: \t two words \t\r\n"
        "Empty:\r\n"
        "Content-Length: 17\r\n\r\n");
    CHECK(r.method == "POST");
    CHECK(r.target == "/v1/chat/completions?x=1");
    CHECK(r.host == "api.example.com:8080");
    CHECK(r.minor_version == 1);
    CHECK(r.body == framing::length);
    CHECK(r.content_length == 17);
    CHECK(r.headers.size() == 6);
    CHECK(r.headers.find("content-type") == "application/json");
    CHECK(r.headers[3].name == "x-twice");
    CHECK(r.headers[3].value == "two words");
    CHECK(r.headers.find("empty") == "");
}

TEST_CASE("a head is its own: the read buffer may be used again") {
    std::string wire{"GET /abc HTTP/1.1\r\nHost: h\r\nX: y\r\n\r\n"};
    const request_head r = read(wire);
    wire.assign(wire.size(), '!');
    CHECK(r.target == "/abc");
    CHECK(r.headers.find("x") == "y");
}

TEST_CASE("a recycled head forgets the message before") {
    request_head head;
    std::size_t scanned = 0;
    const std::string first = with("Transfer-Encoding: chunked\r\nExpect: 100-continue\r\nConnection: close\r\n");
    REQUIRE(parse_request_head(first, scanned, {}, head).state == progress::done);
    CHECK(scanned == 0);
    REQUIRE(parse_request_head("GET / HTTP/1.1\r\nHost: b\r\n\r\n", scanned, {}, head).state == progress::done);
    CHECK(head.host == "b");
    CHECK(head.body == framing::none);
    CHECK(head.keep_alive);
    CHECK_FALSE(head.expect_continue);
    CHECK(head.headers.size() == 1);
}

TEST_CASE("the absolute form becomes the origin form") {
    const auto target = [](std::string_view line) {
        return read(std::string{line} + " HTTP/1.1\r\nHost: Ex.com:81\r\n\r\n").target;
    };
    CHECK(target("GET http://ex.com:81/a/b?c=d") == "/a/b?c=d");
    CHECK(target("GET HTTPS://EX.com:81") == "/");
    CHECK(target("GET http://ex.com:81?c") == "/?c");
    CHECK(target("OPTIONS http://ex.com:81") == "*");
    CHECK(target("OPTIONS http://ex.com:81/") == "/");
    CHECK(read("GET http://Ex.com/a HTTP/1.0\r\n\r\n").host == "ex.com");
}

TEST_CASE("keep-alive follows the version and the Connection options") {
    CHECK(read(with("")).keep_alive);
    CHECK_FALSE(read(with("", 0)).keep_alive);
    CHECK(read(with("Connection: Keep-Alive\r\n", 0)).keep_alive);
    CHECK_FALSE(read(with("Connection: close\r\n")).keep_alive);
    CHECK_FALSE(read(with("Connection: x, ,CLOSE , y\r\n")).keep_alive);
    CHECK_FALSE(read(with("Connection: keep-alive\r\nConnection: close\r\n")).keep_alive);
    CHECK(read(with("Connection: closed\r\n")).keep_alive);
}

TEST_CASE("an upgrade needs the option, the field and HTTP/1.1") {
    CHECK(read(with("Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n")).upgrade);
    CHECK_FALSE(read(with("Upgrade: websocket\r\n")).upgrade);
    CHECK_FALSE(read(with("Connection: upgrade\r\n")).upgrade);
    CHECK_FALSE(read(with("Connection: upgrade\r\nUpgrade: websocket\r\n", 0)).upgrade);
}

TEST_CASE("a client waits for 100 only when it has a body to send and speaks HTTP/1.1") {
    CHECK(read(with("Expect: 100-continue\r\nContent-Length: 5\r\n")).expect_continue);
    CHECK(read(with("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n")).expect_continue);
    CHECK_FALSE(read(with("Expect: 100-continue\r\n")).expect_continue);
    CHECK_FALSE(read(with("Expect: 100-continue\r\nContent-Length: 0\r\n")).expect_continue);
    CHECK_FALSE(read(with("Expect: 100-continue\r\nContent-Length: 5\r\n", 0)).expect_continue);
}

TEST_CASE("a Content-Length just below 2^63 is taken") {
    CHECK(read(with("Content-Length: 9223372036854775807\r\n")).content_length == 9223372036854775807U);
}

TEST_CASE("limits hold to the byte, however the bytes are cut") {
    const std::string head = "GET /0123456789 HTTP/1.1\r\nHost: a\r\nX: " + std::string(60, 'x') + "\r\n\r\n";
    const auto same = [](const std::string& wire, const head_limits& limits) {
        const outcome whole = play_whole(wire, limits);
        CHECK(play_bytewise(wire, limits) == whole);
        for (std::size_t at = 0; at <= wire.size(); ++at) {
            if (!(play_split(wire, at, limits) == whole)) FAIL_CHECK("cut at " << at);
        }
        return whole;
    };
    CHECK(same(head, {.head_bytes = head.size()}).status == 0);
    const outcome over = same(head, {.head_bytes = head.size() - 1});
    CHECK(over.status == 431);
    CHECK(over.reason == "head_too_large");
    CHECK(same(head, {.target_bytes = 11}).status == 0);
    CHECK(same(head, {.target_bytes = 10}).status == 414);
    CHECK(same(head, {.fields = 2}).status == 0);
    CHECK(same(head, {.fields = 1}).status == 431);
    // Without an end: the start line itself is too long, or the fields are.
    CHECK(same("GET /" + std::string(200, 'a'), {.target_bytes = 100}).status == 414);
    CHECK(same("GET /" + std::string(200, 'a'), {.head_bytes = 100}).status == 414);
    CHECK(same("GET / HTTP/1.1\r\nX: " + std::string(200, 'a'), {.head_bytes = 100}).status == 431);
    CHECK(same("\r\nGET / HTTP/1.1\r\nX: " + std::string(200, 'a'), {.head_bytes = 100}).status == 431);
    // A bare LF within the limit comes before the limit.
    CHECK(same("GET / HTTP/1.1\n" + std::string(200, 'a'), {.head_bytes = 100}).status == 400);
}

TEST_CASE("a head of the default limits is read, whatever its shape") {
    std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (int i = 1; i < 100; ++i) many += "X-" + std::to_string(i) + ": v\r\n";
    CHECK(play_whole(many + "\r\n").status == 0);
    CHECK(play_whole(many + "One-More: v\r\n\r\n").reason == "too_many_fields");
    CHECK(play_whole("GET /" + std::string(8 * 1024 - 1, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n").status == 0);
    CHECK(play_whole("GET /" + std::string(8 * 1024, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n").status == 414);
    const std::string frame = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n";
    const std::string filler(32 * 1024 - frame.size(), 'x');
    CHECK(play_whole("GET / HTTP/1.1\r\nHost: a\r\nX: " + filler + "\r\n\r\n").status == 0);
    CHECK(play_whole("GET / HTTP/1.1\r\nHost: a\r\nX: " + filler + "x\r\n\r\n").status == 431);
}

TEST_CASE("bytes that cannot begin a request are refused before the head is complete") {
    CHECK(play_whole("\x16").status == 400);
    CHECK(play_whole("\r\r").status == 400);
    CHECK(play_whole("").status == -1);
    CHECK(play_whole("G").status == -1);
}
