#include "http/response_parser.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

using namespace sluice;
using namespace sluice::http;
using namespace std::literals;

namespace {

struct outcome {
    int status = 0;  // 502: refused, -1: not complete
    framing body = framing::none;
    bool keep_alive = false;
    std::string reason;
    std::size_t consumed = 0;
    friend bool operator==(const outcome&, const outcome&) = default;
};

// `arrivals` are ascending numbers of bytes received so far.
outcome play(std::string_view wire, const std::vector<std::size_t>& arrivals, std::string_view method,
             head_limits limits = {}) {
    response_head head;
    std::size_t scanned = 0;
    for (const std::size_t n : arrivals) {
        const parsed p = parse_response_head(wire.substr(0, n), scanned, limits, method, head);
        if (p.state == progress::bad) return {p.why.status, {}, false, std::string{p.why.reason}, 0};
        if (p.state == progress::done) return {head.status, head.body, head.keep_alive, {}, p.consumed};
    }
    return {-1, {}, false, {}, 0};
}

struct row {
    std::string_view name;
    std::string wire;
    int status;
    framing body = framing::none;
    bool keep_alive = false;
    std::string_view method = "POST";
};

std::string ok(std::string_view fields) {
    return std::string{"HTTP/1.1 200 OK\r\n"}.append(fields).append("\r\n");
}

std::vector<row> rows() {
    using enum framing;
    return {
        {"length", ok("Content-Length: 5\r\n"), 200, length, true},
        {"length 0", ok("Content-Length: 0\r\n"), 200, length, true},
        {"chunked", ok("Transfer-Encoding: chunked\r\n"), 200, chunked, true},
        {"chunked, case and white space", ok("transfer-encoding:\tCHUNKED \r\n"), 200, chunked, true},
        {"until close", ok(""), 200, until_close, false},
        {"until close, keep-alive claimed", ok("Connection: keep-alive\r\n"), 200, until_close, false},
        {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", 200, length, false},
        {"HTTP/1.0 keep-alive", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n", 200, length,
         true},
        {"close", ok("Content-Length: 5\r\nConnection: close\r\n"), 200, length, false},
        {"no reason phrase", "HTTP/1.1 200\r\nContent-Length: 5\r\n\r\n", 200, length, true},
        {"empty reason phrase", "HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\n", 200, length, true},
        {"8-bit reason phrase", "HTTP/1.1 200 d\xe9j\xe0 vu\r\nContent-Length: 5\r\n\r\n", 200, length, true},
        {"unregistered status", "HTTP/1.1 529 Overloaded\r\nContent-Length: 5\r\n\r\n", 529, length, true},
        {"100", "HTTP/1.1 100 Continue\r\n\r\n", 100, none, true},
        {"103", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 103, none, true},
        {"101", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", 101, none, true},
        {"1xx whatever it declares", "HTTP/1.1 102 P\r\nContent-Length: 5\r\n\r\n", 102, none, true},
        {"204", "HTTP/1.1 204 No Content\r\n\r\n", 204, none, true},
        {"204 with a length of 0", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", 204, none, true},
        {"204 that declares a body", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, none, false},
        {"204 that declares chunks", "HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n", 204, none, false},
        {"304 with the length it would have", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, none,
         true},
        {"HEAD with a length", ok("Content-Length: 5\r\n"), 200, none, true, "HEAD"},
        {"HEAD with chunks", ok("Transfer-Encoding: chunked\r\n"), 200, none, true, "HEAD"},
        {"HEAD with neither", ok(""), 200, none, true, "HEAD"},
        {"same length twice", ok("Content-Length: 5\r\nContent-Length: 5\r\n"), 200, length, true},
        {"8 bits in a value", ok("X: \xff\r\nContent-Length: 5\r\n"), 200, length, true},

        {"CL+TE", ok("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 502},
        {"TE+CL", ok("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 502},
        {"CL+TE to HEAD", ok("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 502, none, false, "HEAD"},
        {"two lengths", ok("Content-Length: 5\r\nContent-Length: 6\r\n"), 502},
        {"length list", ok("Content-Length: 5, 5\r\n"), 502},
        {"length +5", ok("Content-Length: +5\r\n"), 502},
        {"length -5", ok("Content-Length: -5\r\n"), 502},
        {"length empty", ok("Content-Length:\r\n"), 502},
        {"length 2^63", ok("Content-Length: 9223372036854775808\r\n"), 502},
        {"length hex", ok("Content-Length: 0x5\r\n"), 502},
        {"length with a unit", ok("Content-Length: 5 bytes\r\n"), 502},
        {"bad length in a 204", "HTTP/1.1 204 No Content\r\nContent-Length: x\r\n\r\n", 502},
        {"TE gzip", ok("Transfer-Encoding: gzip\r\n"), 502},
        {"TE gzip, chunked", ok("Transfer-Encoding: gzip, chunked\r\n"), 502},
        {"TE identity", ok("Transfer-Encoding: identity\r\n"), 502},
        {"TE empty", ok("Transfer-Encoding: \r\n"), 502},
        {"TE xchunked", ok("Transfer-Encoding: xchunked\r\n"), 502},
        {"TE twice", ok("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 502},
        {"TE in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 502},
        {"HTTP/2", "HTTP/2 200\r\n\r\n", 502},
        {"HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", 502},
        {"HTTP/0.9", "<html>hello</html>\r\n\r\n", 502},
        {"another protocol", "220 smtp.example ESMTP\r\n\r\n", 502},
        {"ICY", "ICY 200 OK\r\n\r\n", 502},
        {"lower case", "http/1.1 200 OK\r\n\r\n", 502},
        {"leading CRLF", "\r\nHTTP/1.1 200 OK\r\n\r\n", 502},
        {"leading body of the answer before", "}HTTP/1.1 200 OK\r\n\r\n", 502},
        {"status of two digits", "HTTP/1.1 20 OK\r\n\r\n", 502},
        {"status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", 502},
        {"status 099", "HTTP/1.1 099 Low\r\n\r\n", 502},
        {"status 600", "HTTP/1.1 600 High\r\n\r\n", 502},
        {"status that is no number", "HTTP/1.1 OK\r\n\r\n", 502},
        {"two spaces before the status", "HTTP/1.1  200 OK\r\n\r\n", 502},
        {"status line cut short", "HTTP/1.1\r\n\r\n", 502},
        {"NUL in the reason phrase", "HTTP/1.1 200 O\0K\r\n\r\n"s, 502},
        {"bare CR in the status line", "HTTP/1.1 200 OK\rX: 1\r\n\r\n", 502},
        {"bare LF", "HTTP/1.1 200 OK\nContent-Length: 5\n\n", 502},
        {"bare LF in a field", "HTTP/1.1 200 OK\r\nX: 1\nY: 2\r\n\r\n", 502},
        {"folded line", ok("X: 1\r\n 2\r\n"), 502},
        {"space before the colon", ok("Content-Length : 5\r\n"), 502},
        {"empty name", ok(": 5\r\n"), 502},
        {"no colon", ok("Content-Length\r\n"), 502},
        {"NUL in a value", ok("X: a\0b\r\n"sv), 502},
        {"cut in the status line", "HTTP/1.1 20", -1},
        {"cut in a field", "HTTP/1.1 200 OK\r\nContent-Le", -1},
        {"cut before the empty line", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", -1},
    };
}

}  // namespace

TEST_CASE("answers of upstreams have one reading or are refused, however they are cut") {
    for (const row& r : rows()) {
        INFO(r.name);
        const outcome whole = play(r.wire, {r.wire.size()}, r.method);
        CHECK(whole.status == r.status);
        CHECK(whole.body == r.body);
        CHECK(whole.keep_alive == r.keep_alive);
        CHECK(whole.reason.empty() == (r.status != 502));

        std::vector<std::size_t> bytewise;
        for (std::size_t n = 0; n <= r.wire.size(); ++n) {
            bytewise.push_back(n);
            if (!(play(r.wire, {n, r.wire.size()}, r.method) == whole)) FAIL_CHECK("cut at " << n);
        }
        CHECK(play(r.wire, bytewise, r.method) == whole);
        // What follows the head does not matter to it.
        if (r.status > 0) CHECK(play(r.wire + "\n\n\r\n\r\n", {r.wire.size() + 6}, r.method) == whole);
    }
}

TEST_CASE("every refusal of an answer is the upstream's fault") {
    for (const row& r : rows()) {
        if (r.status != 502) continue;
        INFO(r.name);
        response_head head;
        std::size_t scanned = 0;
        const parsed p = parse_response_head(r.wire, scanned, {}, r.method, head);
        CHECK(p.why.kind == error_kind::upstream_protocol);
        CHECK(head.headers.empty());
    }
}

TEST_CASE("interim answers are reported one by one") {
    const auto wire = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"sv;
    response_head head;
    std::size_t scanned = 0;
    const parsed first = parse_response_head(wire, scanned, {}, "POST", head);
    REQUIRE(first.state == progress::done);
    CHECK(head.status == 100);
    const parsed second = parse_response_head(wire.substr(first.consumed), scanned, {}, "POST", head);
    REQUIRE(second.state == progress::done);
    CHECK(head.status == 200);
    CHECK(wire.substr(first.consumed + second.consumed) == "hello");
}

TEST_CASE("an upgrade is an upgrade when status and fields agree") {
    const auto upgrade = [](std::string_view wire) {
        response_head head;
        std::size_t scanned = 0;
        REQUIRE(parse_response_head(wire, scanned, {}, "GET", head).state == progress::done);
        return head.upgrade;
    };
    CHECK(upgrade("HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"));
    CHECK_FALSE(upgrade("HTTP/1.1 101 S\r\n\r\n"));
    CHECK_FALSE(upgrade("HTTP/1.1 200 OK\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"));
}

TEST_CASE("the head of an answer to HEAD keeps the declared length") {
    response_head head;
    std::size_t scanned = 0;
    REQUIRE(parse_response_head(ok("Content-Length: 77\r\n"), scanned, {}, "HEAD", head).state == progress::done);
    CHECK(head.body == framing::none);
    CHECK(head.content_length == 77);
}

TEST_CASE("the head of an answer has limits") {
    const std::string wire = ok("X: " + std::string(200, 'x') + "\r\nY: 1\r\n");
    const auto all = std::vector{wire.size()};
    CHECK(play(wire, all, "GET", {.head_bytes = wire.size()}).status == 200);
    CHECK(play(wire, all, "GET", {.head_bytes = wire.size() - 1}).reason == "head_too_large");
    CHECK(play(wire, all, "GET", {.fields = 2}).status == 200);
    CHECK(play(wire, all, "GET", {.fields = 1}).reason == "too_many_fields");
}
