#include "http/message_writer.hpp"

#include "http/request_parser.hpp"
#include "http/response_parser.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <string>
#include <vector>

using namespace sluice;
using namespace sluice::http;

namespace {

response_head answer(int status, framing body, std::uint64_t content_length = 0) {
    response_head h;
    h.status = status;
    h.body = body;
    h.content_length = content_length;
    return h;
}

std::string written(const response_head& h, bool keep_alive = true, int client_minor_version = 1) {
    std::string out;
    write_response_head(out, h, keep_alive, client_minor_version);
    return out;
}

std::string written(std::string_view method, framing body, std::uint64_t length = 0, bool keep_alive = true,
                    std::string_view upgrade = {}) {
    std::string out;
    write_request_head(out, method, "/", "h", {}, body, length, keep_alive, upgrade);
    return out;
}

}  // namespace

TEST_CASE("a request is written with Host first and its own framing last") {
    header_list h;
    h.add("Accept", "*/*");
    h.add("X", "");
    std::string out{"kept"};
    write_request_head(out, "POST", "/v1/x?y=z", "api.example.com:8443", h, framing::length, 12);
    CHECK(out ==
          "keptPOST /v1/x?y=z HTTP/1.1\r\nHost: api.example.com:8443\r\nAccept: */*\r\nX: \r\n"
          "Content-Length: 12\r\n\r\n");
}

TEST_CASE("the framing of a request follows its body") {
    CHECK(written("GET", framing::none) == "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(written("POST", framing::none) == "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
    CHECK(written("GET", framing::length, 1) == "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n");
    CHECK(written("POST", framing::chunked) == "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    CHECK(written("GET", framing::none, 0, false) == "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    CHECK(written("GET", framing::none, 0, true, "websocket") ==
          "GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
}

TEST_CASE("framing fields among the headers are never copied") {
    header_list h;
    h.add("content-length", "999");
    h.add("Transfer-Encoding", "chunked");
    h.add("Connection", "keep-alive");
    h.add("host", "evil");
    std::string out;
    write_request_head(out, "GET", "/", "h", h, framing::none, 0);
    CHECK(out == "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    response_head r = answer(200, framing::length, 3);
    r.headers = h;
    CHECK(written(r) == "HTTP/1.1 200 OK\r\nhost: evil\r\nContent-Length: 3\r\n\r\n");
}

TEST_CASE("no text can split a head") {
    header_list h;
    h.add("X\r\nY", "1\r\nEvil: 2");
    std::string out;
    write_request_head(out, "GET", "/a b\r\nEvil: 1#\xc3", "h\r\nEvil: 3", h, framing::none, 0);
    CHECK(out == "GET /a%20b%0D%0AEvil:%201%23%C3 HTTP/1.1\r\nHost: h%0D%0AEvil:%203\r\nX__Y: 1  Evil: 2\r\n\r\n");
    out.clear();
    write_request_head(out, "GET", std::string(5000, '\n'), {}, {}, framing::none, 0);
    CHECK(out.size() == 15000 + std::string_view{"GET  HTTP/1.1\r\nHost: \r\n\r\n"}.size());
}

TEST_CASE("the framing of a response follows its body and its client") {
    CHECK(written(answer(200, framing::length, 5)) == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    CHECK(written(answer(200, framing::chunked)) == "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    CHECK(written(answer(404, framing::length, 0), false) ==
          "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    CHECK(written(answer(200, framing::until_close)) == "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    CHECK(written(answer(200, framing::chunked), true, 0) == "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    CHECK(framing_for(framing::chunked, 0) == framing::until_close);
    CHECK(framing_for(framing::chunked, 1) == framing::chunked);
    CHECK(framing_for(framing::length, 0) == framing::length);
    CHECK(written(answer(200, framing::length, 5), true, 0) ==
          "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n");
}

TEST_CASE("a response without a body says so unless its status does") {
    CHECK(written(answer(100, framing::none), false, 0) == "HTTP/1.1 100 Continue\r\n\r\n");
    CHECK(written(answer(204, framing::none, 7)) == "HTTP/1.1 204 No Content\r\n\r\n");
    CHECK(written(answer(304, framing::none)) == "HTTP/1.1 304 Not Modified\r\n\r\n");
    CHECK(written(answer(304, framing::none, 7)) == "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n");
    CHECK(written(answer(200, framing::none)) == "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    CHECK(written(answer(200, framing::none, 9)) == "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
    response_head upgrade = answer(101, framing::none);
    upgrade.upgrade = true;
    upgrade.headers.add("Upgrade", "websocket");
    CHECK(written(upgrade) == "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n");
}

TEST_CASE("every status has a phrase") {
    for (int status = 100; status <= 599; ++status) CHECK_FALSE(reason_phrase(status).empty());
    CHECK(reason_phrase(429) == "Too Many Requests");
    CHECK(written(answer(599, framing::length)).starts_with("HTTP/1.1 599 Unknown\r\n"));
}

namespace {

// Random texts of the alphabets that messages are made of, edges included.
class maker {
public:
    std::string text(std::string_view alphabet, std::size_t bytes_min, std::size_t bytes_max) {
        std::string s(bytes_min + random_() % (bytes_max - bytes_min + 1), ' ');
        for (char& c : s) c = alphabet[random_() % alphabet.size()];
        return s;
    }
    std::string name() { return "x" + text("abcXYZ019-_!#$%&'*+.^`|~", 0, 20); }
    std::string value() { return text("abc XYZ\t,;:=\"\\/\x80\xff", 0, 60); }
    std::string host() { return text("abcXYZ019-.", 1, 30) + (coin() ? ":8080" : ""); }
    std::string target() { return "/" + text("abc%?&=/.{}|:@", 0, 60); }
    header_list headers() {
        header_list h;
        for (auto n = random_() % 12; n > 0; --n) h.add(name(), value());
        return h;
    }
    bool coin() { return random_() % 2 == 0; }
    std::uint64_t number() { return random_() % 3 == 0 ? 0 : std::uint64_t{random_()} << (random_() % 31); }

private:
    std::mt19937 random_{20240612};
};

std::string trimmed(std::string_view s) {
    const auto first = s.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return std::string{s.substr(first, s.find_last_not_of(" \t") - first + 1)};
}

// Every field that went in comes out, in order; at most our own ones around them.
void check_fields(const header_list& in, const header_list& out, std::size_t first) {
    REQUIRE(out.size() >= in.size() + first);
    for (std::size_t i = 0; i < in.size(); ++i) {
        CHECK(out[i + first].name == in[i].name);
        CHECK(out[i + first].value == trimmed(in[i].value));
    }
}

}  // namespace

TEST_CASE("a written request parses back to what was written") {
    maker make;
    std::string out;
    request_head back;
    for (int round = 0; round < 500; ++round) {
        const header_list headers = make.headers();
        const std::string host = make.host();
        const std::string target = make.target();
        const auto body = make.coin() ? framing::chunked : framing::length;
        const std::uint64_t length = make.number();
        const bool keep_alive = make.coin();
        out.clear();
        write_request_head(out, "PUT", target, host, headers, body, length, keep_alive);
        INFO(out);
        std::size_t scanned = 0;
        const parsed p = parse_request_head(out, scanned, {}, back);
        REQUIRE(p.state == progress::done);
        CHECK(p.consumed == out.size());
        CHECK(back.target == target);
        CHECK(iequals(back.host, host));
        CHECK(back.body == body);
        if (body == framing::length) CHECK(back.content_length == length);
        CHECK(back.keep_alive == keep_alive);
        check_fields(headers, back.headers, 1);
    }
}

TEST_CASE("a written response parses back to what was written") {
    maker make;
    response_head back;
    for (int round = 0; round < 500; ++round) {
        response_head h = answer(200 + static_cast<int>(make.number() % 400), framing::length, make.number());
        if (h.status == 204 || h.status == 304) continue;
        if (make.coin()) h.body = make.coin() ? framing::chunked : framing::until_close;
        h.headers = make.headers();
        const bool keep_alive = make.coin();
        const std::string out = written(h, keep_alive);
        INFO(out);
        std::size_t scanned = 0;
        const parsed p = parse_response_head(out, scanned, {}, "GET", back);
        REQUIRE(p.state == progress::done);
        CHECK(p.consumed == out.size());
        CHECK(back.status == h.status);
        CHECK(back.body == h.body);
        if (h.body == framing::length) CHECK(back.content_length == h.content_length);
        CHECK(back.keep_alive == (keep_alive && h.body != framing::until_close));
        check_fields(h.headers, back.headers, 0);
    }
}
