#include "sim/http1.hpp"

#include <catch2/catch.hpp>

using namespace sluice::sim;
using status = request_parser::status;

namespace {

// Feeds the bytes in two parts, at every possible cut.
template <class Check>
void at_every_cut(const std::string& bytes, const Check& check) {
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
        CAPTURE(cut);
        request_parser parser;
        request r;
        const std::string part = bytes.substr(0, cut);  // elsewhere in memory, as after a reallocation
        REQUIRE(parser.parse(part, r) == status::more);
        REQUIRE(parser.parse(bytes, r) == status::ready);
        check(parser, r);
    }
}

}  // namespace

TEST_CASE("the simulator reads a request with a length however it is cut") {
    const std::string bytes = "POST /v1/x?a=1&b=2 HTTP/1.1\r\nHost: h\r\nX-A:  v \r\nContent-Length: 5\r\n\r\nhello";
    at_every_cut(bytes, [&](const request_parser& parser, const request& r) {
        CHECK(r.method == "POST");
        CHECK(r.path == "/v1/x");
        CHECK(r.parameter("b") == "2");
        CHECK(r.find("x-a") == "v");
        CHECK(r.body == "hello");
        CHECK(r.keep_alive);
        CHECK(parser.consumed() == bytes.size());
    });
}

TEST_CASE("the simulator joins chunks and skips trailers however they are cut") {
    const std::string bytes =
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nT: 1\r\n\r\n";
    at_every_cut(bytes, [&](const request_parser& parser, const request& r) {
        CHECK(r.body == "hello");
        CHECK(parser.consumed() == bytes.size());
    });
}

TEST_CASE("pipelined requests are taken one after the other") {
    const std::string bytes = "GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.0\r\n\r\n";
    request_parser parser;
    request r;
    REQUIRE(parser.parse(bytes, r) == status::ready);
    CHECK(r.path == "/1");
    const auto used = parser.consumed();
    parser.next();
    REQUIRE(parser.parse(std::string_view(bytes).substr(used), r) == status::ready);
    CHECK(r.path == "/2");
    CHECK_FALSE(r.keep_alive);
}

TEST_CASE("a client that waits for 100 Continue is seen waiting until its body is there") {
    const std::string head = "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    request_parser parser;
    request r;
    REQUIRE(parser.parse(head, r) == status::more);
    CHECK(parser.wants_continue());
    REQUIRE(parser.parse(head + "ok", r) == status::ready);
    CHECK_FALSE(parser.wants_continue());
}

TEST_CASE("what is not HTTP at all is refused") {
    for (const auto* bytes :
         {"\r\n\r\n", "GET\r\n\r\n", "GET /\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
          "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
        request_parser parser;
        request r;
        CAPTURE(bytes);
        CHECK(parser.parse(bytes, r) == status::bad);
    }
}
