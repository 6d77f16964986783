#include "net/h2/grpc_framing.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace sluice;
using namespace sluice::net;

namespace {

header_list fields(std::vector<std::pair<std::string, std::string>> all) {
    header_list h;
    for (const auto& [name, value] : all) h.add(name, value);
    return h;
}

}  // namespace

TEST_CASE("messages are cut out of the bytes wherever those are cut") {
    const std::string wire = frame_message("one") + frame_message("") + frame_message(std::string(300, 'x'));
    CHECK(wire.substr(0, 5) == std::string("\0\0\0\0\3", 5));
    for (std::size_t at = 0; at <= wire.size(); ++at) {
        grpc_reader r(1000);
        REQUIRE_FALSE(r.add(std::string_view(wire).substr(0, at)));
        REQUIRE_FALSE(r.add(std::string_view(wire).substr(at)));
        CHECK(r.ready_bytes() == 303);
        CHECK(r.between_messages());
        CHECK(r.next() == "one");
        CHECK(r.next() == "");
        CHECK(r.next() == std::string(300, 'x'));
        CHECK_FALSE(r.next());
        CHECK(r.ready_bytes() == 0);
    }
}

TEST_CASE("a message that is too large or compressed ends the stream before it is held") {
    grpc_reader large(10);
    const auto too_large = large.add(std::string("\0\0\0\0\x0b", 5));
    REQUIRE(too_large.has_value());
    CHECK(too_large->code == grpc_exhausted);
    grpc_reader huge(10);
    CHECK(huge.add(std::string("\0\xff\xff\xff\xff", 5)).has_value());
    grpc_reader packed(10);
    CHECK(packed.add(std::string("\1\0\0\0\0", 5))->code == grpc_unimplemented);
}

TEST_CASE("trailers tell how a call ended") {
    CHECK_FALSE(status_of_trailers(fields({})).has_value());
    CHECK(status_of_trailers(fields({{"grpc-status", "0"}}))->code == grpc_ok);
    const auto s = status_of_trailers(fields({{"grpc-status", "8"}, {"grpc-message", "too%20much"}}));
    CHECK(s->code == 8);
    CHECK(s->message == "too much");
    CHECK(status_of_trailers(fields({{"grpc-status", "x"}}))->code == grpc_unknown);
    CHECK(status_of_trailers(fields({{"grpc-status", "-1"}}))->code == grpc_unknown);
    CHECK(status_of_trailers(fields({{"grpc-status", "5"}, {"grpc-message", "50%"}}))->message == "50%");
}

TEST_CASE("an answer that is no gRPC has a code, too") {
    CHECK_FALSE(status_of_headers(200, fields({{"content-type", "application/grpc"}})).has_value());
    CHECK_FALSE(status_of_headers(200, fields({{"content-type", "application/grpc+proto"}})).has_value());
    CHECK(status_of_headers(200, fields({{"content-type", "application/grpcish"}}))->code == grpc_unknown);
    CHECK(status_of_headers(200, fields({{"content-type", "text/html"}}))->code == grpc_unknown);
    CHECK(status_of_headers(404, fields({}))->code == grpc_unimplemented);
    CHECK(status_of_headers(503, fields({}))->code == grpc_unavailable);
    CHECK(status_of_headers(503, fields({{"grpc-status", "7"}}))->code == 7);
}
