// Every message that proxies have been seen to read differently, with what this gateway must make of it.
#include "request_driver.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

using namespace sluice;
using namespace sluice::http;
using namespace sluice::http::test;
using namespace std::literals;

namespace {

struct row {
    std::string_view name;
    std::string wire;
    int status;             // 0: accept
    std::string_view body;  // of an accepted one
};

std::string post(std::string_view fields, std::string_view body) {
    std::string s{"POST /v1 HTTP/1.1\r\nHost: a\r\n"};
    return s.append(fields).append("\r\n").append(body);
}

std::string chunked_post(std::string_view body) {
    return post("Transfer-Encoding: chunked\r\n", body);
}

std::string get(std::string_view target, std::string_view fields = "Host: a\r\n") {
    return std::string{"GET "}.append(target).append(" HTTP/1.1\r\n").append(fields).append("\r\n");
}

const std::string extension_256 = ";" + std::string(255, 'e');

std::vector<row> rows() {
    constexpr auto chunks = "3\r\nabc\r\n0\r\n\r\n"sv;
    return {
        {"plain", get("/"), 0, ""},
        {"length", post("Content-Length: 3\r\n", "abc"), 0, "abc"},
        {"length of nothing", post("Content-Length: 0\r\n", ""), 0, ""},
        {"chunked", chunked_post(chunks), 0, "abc"},
        {"chunked in another case, white space around", post("transfer-ENCODING: \t Chunked \t\r\n", chunks), 0, "abc"},
        {"a body for GET", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", 0, "x"},

        {"CL+TE", post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", chunks), 400, ""},
        {"TE+CL", post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", chunks), 400, ""},
        {"CL twice, same", post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), 400, ""},
        {"CL twice, different", post("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd"), 400, ""},
        {"CL as a list", post("Content-Length: 3, 3\r\n", "abc"), 400, ""},
        {"CL +3", post("Content-Length: +3\r\n", "abc"), 400, ""},
        {"CL -3", post("Content-Length: -3\r\n", "abc"), 400, ""},
        {"CL 0x3", post("Content-Length: 0x3\r\n", "abc"), 400, ""},
        {"CL 3_0", post("Content-Length: 3_0\r\n", "abc"), 400, ""},
        {"CL with a space inside", post("Content-Length: 3 0\r\n", "abc"), 400, ""},
        {"CL empty", post("Content-Length: \r\n", ""), 400, ""},
        {"CL empty beside a good one", post("Content-Length:\r\nContent-Length: 3\r\n", "abc"), 400, ""},
        {"CL 2^63", post("Content-Length: 9223372036854775808\r\n", ""), 400, ""},
        {"CL 2^64", post("Content-Length: 18446744073709551616\r\n", ""), 400, ""},
        {"CL 2^64 + 3", post("Content-Length: 18446744073709551619\r\n", "abc"), 400, ""},
        {"CL that overflows 32 bits to 3", post("Content-Length: 4294967299\r\n", ""), -1, ""},
        {"CL of many zeros", post("Content-Length: " + std::string(40, '0') + "3\r\n", "abc"), 400, ""},

        {"TE xchunked", post("Transfer-Encoding: xchunked\r\n", chunks), 501, ""},
        {"TE identity", post("Transfer-Encoding: identity\r\n", chunks), 400, ""},
        {"TE empty", post("Transfer-Encoding:\r\n", chunks), 400, ""},
        {"TE quoted", post("Transfer-Encoding: \"chunked\"\r\n", chunks), 400, ""},
        {"TE chunked, identity", post("Transfer-Encoding: chunked, identity\r\n", chunks), 400, ""},
        {"TE identity, chunked", post("Transfer-Encoding: identity, chunked\r\n", chunks), 400, ""},
        {"TE chunked, chunked", post("Transfer-Encoding: chunked, chunked\r\n", chunks), 400, ""},
        {"TE chunked and an empty element", post("Transfer-Encoding: ,chunked\r\n", chunks), 400, ""},
        {"TE with a parameter", post("Transfer-Encoding: chunked;q=1\r\n", chunks), 400, ""},
        {"TE with a vertical tab", post("Transfer-Encoding: \vchunked\r\n", chunks), 400, ""},
        {"TE in 8 bits", post("Transfer-Encoding: chunked\xa0\r\n", chunks), 400, ""},
        {"TE identity and CL", post("Transfer-Encoding: identity\r\nContent-Length: 3\r\n", "abc"), 400, ""},
        {"TE gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n", chunks), 501, ""},
        {"TE gzip", post("Transfer-Encoding: gzip\r\n", chunks), 501, ""},
        {"TE twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", chunks), 400, ""},
        {"TE identity then chunked", post("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", chunks), 400,
         ""},
        {"TE folded", post("Transfer-Encoding:\r\n chunked\r\n", chunks), 400, ""},
        {"TE with a space before the colon", post("Transfer-Encoding : chunked\r\n", chunks), 400, ""},
        {"HTTP/1.0 and TE", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
         400, ""},
        {"an underscore is another name", post("Content_Length: 3\r\n", ""), 0, ""},

        {"space before the colon", get("/", "Host: a\r\nX : 1\r\n"), 400, ""},
        {"tab before the colon", get("/", "Host: a\r\nX\t: 1\r\n"), 400, ""},
        {"empty name", get("/", "Host: a\r\n: 1\r\n"), 400, ""},
        {"no colon", get("/", "Host: a\r\nX\r\n"), 400, ""},
        {"bare CR in a value", get("/", "Host: a\r\nX: 1\r2\r\n"), 400, ""},
        {"bare CR before the line end", get("/", "Host: a\r\nX: 1\r\r\n"), 400, ""},
        {"bare CR in place of a line end", get("/", "Host: a\rX: 1\r\n"), 400, ""},
        {"bare CR at the start of a line", get("/", "Host: a\r\n\rX: 1\r\n"), 400, ""},
        {"folded line, space", get("/", "Host: a\r\nX: 1\r\n 2\r\n"), 400, ""},
        {"folded line, tab", get("/", "Host: a\r\nX: 1\r\n\t2\r\n"), 400, ""},
        {"folded first line", get("/", " Host: a\r\n"), 400, ""},
        {"white-space line", get("/", "Host: a\r\n \r\n"), 400, ""},
        {"NUL in a value", get("/", "Host: a\r\nX: a\0b\r\n"sv), 400, ""},
        {"NUL in a name", get("/", "Host: a\r\nX\0: ab\r\n"sv), 400, ""},
        {"DEL in a value", get("/", "Host: a\r\nX: a\x7f\r\n"), 400, ""},
        {"8 bits in a value", get("/", "Host: a\r\nX: \xc3\xa9\r\n"), 0, ""},
        {"empty value", get("/", "Host: a\r\nX:\r\n"), 0, ""},
        {"8 bits in a name", get("/", "Host: a\r\nX\xc3: 1\r\n"), 400, ""},
        {"parenthesis in a name", get("/", "Host: a\r\nX(: 1\r\n"), 400, ""},

        {"no Host", get("/", ""), 400, ""},
        {"no Host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 0, ""},
        {"empty Host", get("/", "Host:\r\n"), 400, ""},
        {"two Hosts", get("/", "Host: a\r\nHost: a\r\n"), 400, ""},
        {"two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n", 400, ""},
        {"Host with a port", get("/", "Host: a.example:8080\r\n"), 0, ""},
        {"Host IPv4", get("/", "Host: 127.0.0.1\r\n"), 0, ""},
        {"Host IPv6", get("/", "Host: [::1]:80\r\n"), 0, ""},
        {"Host IPv6 without brackets", get("/", "Host: ::1\r\n"), 400, ""},
        {"Host IPv6 unfinished", get("/", "Host: [::1\r\n"), 400, ""},
        {"Host IPv6 that is none", get("/", "Host: [1:2]\r\n"), 400, ""},
        {"Host IPv6 with a zone", get("/", "Host: [fe80::1%25eth0]\r\n"), 400, ""},
        {"Host with a space", get("/", "Host: a b\r\n"), 400, ""},
        {"Host with a comma", get("/", "Host: a,b\r\n"), 400, ""},
        {"Host with a path", get("/", "Host: a/b\r\n"), 400, ""},
        {"Host with a user", get("/", "Host: u@a\r\n"), 400, ""},
        {"Host with a scheme", get("/", "Host: http://a\r\n"), 400, ""},
        {"Host with a bad port", get("/", "Host: a:b\r\n"), 400, ""},
        {"Host with a port too large", get("/", "Host: a:65536\r\n"), 400, ""},
        {"Host with an empty port", get("/", "Host: a:\r\n"), 400, ""},
        {"Host in 8 bits", get("/", "Host: \xc3\xa9\r\n"), 400, ""},
        {"Host too long", get("/", "Host: " + std::string(256, 'a') + "\r\n"), 400, ""},

        {"absolute form, same host", get("http://A/x?y"), 0, ""},
        {"absolute form, other host", get("http://b/x"), 400, ""},
        {"absolute form, other port", get("http://a:81/x"), 400, ""},
        {"absolute form, user", get("http://u@a/x"), 400, ""},
        {"absolute form, no Host", get("http://a/x", ""), 400, ""},
        {"absolute form, other scheme", get("ftp://a/x"), 400, ""},
        {"absolute form, HTTP/1.0 without Host", "GET http://a/ HTTP/1.0\r\n\r\n", 0, ""},
        {"absolute form, HTTP/1.0 without any host", "GET http:/// HTTP/1.0\r\n\r\n", 400, ""},
        {"authority form", get("a:80"), 400, ""},
        {"CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 405, ""},
        {"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 0, ""},
        {"GET *", get("*"), 400, ""},
        {"fragment", get("/a#b"), 400, ""},
        {"8 bits in the target", get("/\xc3\xa9"), 400, ""},
        {"control byte in the target", get("/a\x01"), 400, ""},
        {"tab in the target", get("/a\tb"), 400, ""},
        {"NUL in the target", get("/a\0b"sv), 400, ""},
        {"space in the target", get("/a b"), 400, ""},
        {"bare CR in the target", get("/a\rb"), 400, ""},
        {"no target", "GET  HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
        {"relative target", get("v1/x"), 400, ""},
        {"percent-escapes pass as they are", get("/%2e%2e/%2F"), 0, ""},

        {"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
        {"tab for a space", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
        {"space behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400, ""},
        {"leading space", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
        {"no version", "GET /\r\nHost: a\r\n\r\n", 400, ""},
        {"version in lower case", "GET / http/1.1\r\nHost: a\r\n\r\n", 400, ""},
        {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505, ""},
        {"HTTP/0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505, ""},
        {"HTTP/2.0 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, ""},
        {"HTTP/1.10", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", 505, ""},
        {"HTTP/1.x", "GET / HTTP/1.x\r\nHost: a\r\n\r\n", 400, ""},
        {"method that is no token", "GE/T / HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
        {"method of 32 bytes", std::string(32, 'M') + " / HTTP/1.1\r\nHost: a\r\n\r\n", 0, ""},
        {"method of 33 bytes", std::string(33, 'M') + " / HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
        {"TLS on a plain port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s, 400, ""},

        {"bare LF message", "GET / HTTP/1.1\nHost: a\n\n", 400, ""},
        {"bare LF in a field", "GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n", 400, ""},
        {"bare LF as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400, ""},
        {"LF first", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
        {"leading CRLF", "\r\n" + get("/"), 0, ""},
        {"two leading CRLF", "\r\n\r\n" + get("/"), 400, ""},
        {"leading CR", "\r" + get("/"), 400, ""},

        {"Expect: 100-continue", post("Expect: 100-Continue\r\nContent-Length: 1\r\n", "x"), 0, "x"},
        {"another expectation", post("Expect: 200-ok\r\nContent-Length: 1\r\n", "x"), 417, ""},
        {"33 connection options",
         get(
             "/", "Host: a\r\nConnection: a" +
                      [] {
                          std::string more;
                          for (int i = 0; i < 32; ++i) more += ",a";
                          return more;
                      }() +
                      "\r\n"),
         400, ""},

        {"chunk line with a bare LF", chunked_post("3\nabc\r\n0\r\n\r\n"), 400, ""},
        {"chunk size and a space", chunked_post("3 \r\nabc\r\n0\r\n\r\n"), 400, ""},
        {"space and chunk size", chunked_post(" 3\r\nabc\r\n0\r\n\r\n"), 400, ""},
        {"chunk size +3", chunked_post("+3\r\nabc\r\n0\r\n\r\n"), 400, ""},
        {"chunk size -1", chunked_post("-1\r\nabc\r\n0\r\n\r\n"), 400, ""},
        {"chunk size 0x3", chunked_post("0x3\r\nabc\r\n0\r\n\r\n"), 400, ""},
        {"chunk size empty", chunked_post("\r\nabc\r\n0\r\n\r\n"), 400, ""},
        {"chunk size only an extension", chunked_post(";a\r\nabc\r\n0\r\n\r\n"), 400, ""},
        {"chunk size of 16 digits", chunked_post("0000000000000003\r\nabc\r\n0\r\n\r\n"), 0, "abc"},
        {"chunk size of 17 digits", chunked_post("00000000000000003\r\nabc\r\n0\r\n\r\n"), 400, ""},
        {"chunk size 2^64 + 3", chunked_post("10000000000000003\r\nabc\r\n0\r\n\r\n"), 400, ""},
        {"chunk size 2^64 - 1", chunked_post("ffffffffffffffff\r\nabc"), 400, ""},
        {"chunk size and a bare CR", chunked_post("3\rabc\r\n0\r\n\r\n"), 400, ""},
        {"chunk data too long", chunked_post("3\r\nabcd\r\n0\r\n\r\n"), 400, ""},
        {"chunk data and a bare LF", chunked_post("3\r\nabc\n0\r\n\r\n"), 400, ""},
        {"chunk data and CR only", chunked_post("3\r\nabc\r0\r\n\r\n"), 400, ""},
        {"chunk extension", chunked_post("3;a=\"b\"\r\nabc\r\n0;x\r\n\r\n"), 0, "abc"},
        {"chunk extension of 256 bytes", chunked_post("3" + extension_256 + "\r\nabc\r\n0\r\n\r\n"), 0, "abc"},
        {"chunk extension of 257 bytes", chunked_post("3" + extension_256 + "e\r\nabc\r\n0\r\n\r\n"), 400, ""},
        {"chunk extension with a bare LF", chunked_post("3;a\nabc\r\n0\r\n\r\n"), 400, ""},
        {"chunk extension with a bare CR", chunked_post("3;a\rb\r\nabc\r\n0\r\n\r\n"), 400, ""},
        {"trailers are read and dropped", chunked_post("3\r\nabc\r\n0\r\nAuthorization: Bearer evil\r\nX:\r\n\r\n"), 0,
         "abc"},
        {"trailer with a bare LF", chunked_post("0\r\nX: 1\n\r\n"), 400, ""},
        {"trailer without a name", chunked_post("0\r\n: 1\r\n\r\n"), 400, ""},
        {"trailer folded", chunked_post("0\r\nX: 1\r\n 2\r\n\r\n"), 400, ""},
        {"trailer with NUL", chunked_post("0\r\nX: \0\r\n\r\n"sv), 400, ""},
        {"trailer without a colon", chunked_post("0\r\nGET / HTTP/1.1\r\n\r\n"), 400, ""},
        {"end of body with a bare LF", chunked_post("0\r\n\n"), 400, ""},
    };
}

}  // namespace

TEST_CASE("messages that proxies read differently are refused or have one reading, however they are cut") {
    for (const row& r : rows()) {
        INFO(r.name);
        const outcome whole = play_whole(r.wire);
        CHECK(whole.status == r.status);
        CHECK(whole.reason.empty() == (r.status <= 0));
        if (r.status == 0) {
            CHECK(whole.body == r.body);
            CHECK(whole.left == 0);
        }
        CHECK(play_bytewise(r.wire) == whole);
        for (std::size_t at = 0; at <= r.wire.size(); ++at) {
            const outcome split = play_split(r.wire, at);
            if (!(split == whole)) FAIL_CHECK("cut at " << at << ": " << split.status << ' ' << split.reason);
        }
    }
}

TEST_CASE("what follows a message is left for the next one") {
    const std::string next = get("/2");
    for (const row& r : rows()) {
        if (r.status != 0) continue;
        INFO(r.name);
        const std::string both = r.wire + next;
        const outcome first = play_whole(both);
        CHECK(first.left == next.size());
        CHECK(first.body == r.body);
        CHECK(play_whole(std::string_view{both}.substr(both.size() - first.left)).status == 0);
    }
}

TEST_CASE("trailers may have 8 KiB and not a byte more") {
    // "X:" + value + CRLF counted; the empty line that ends the body is not.
    const auto wire = [](std::size_t bytes) {
        return chunked_post("0\r\nX:" + std::string(bytes - 4, 't') + "\r\n\r\n");
    };
    CHECK(play_whole(wire(trailer_bytes_max)).status == 0);
    const outcome over = play_whole(wire(trailer_bytes_max + 1));
    CHECK(over.status == 400);
    CHECK(over.reason == "trailers_too_large");
    CHECK(play_whole(chunked_post("0\r\nX:" + std::string(1 << 20, 't'))).status == 400);
}
