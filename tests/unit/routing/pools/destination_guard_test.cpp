#include "routing/pools/destination_guard.hpp"

#include <catch2/catch.hpp>

using namespace sluice::routing;

TEST_CASE("only addresses of the networks, at the ports, may be dialled at a picker's word") {
    const auto g = destination_guard::make({"10.0.0.0/8", "fd00::/8"}, {8000, 8001});
    REQUIRE(g.has_value());
    CHECK(g->admit("10.1.2.3:8000") == "10.1.2.3:8000");
    CHECK(g->admit("10.1.2.3:8001") == "10.1.2.3:8001");
    CHECK(g->admit("[fd00::1]:8000") == "[fd00::1]:8000");
    for (const char* refused : {"10.1.2.3:8002", "11.0.0.1:8000", "169.254.169.254:8000", "[::1]:8000", "10.1.2.3", "",
                                "10.1.2.3:0", "localhost:8000", "0x0a.1.2.3:8000", "10.1:8000"}) {
        CAPTURE(refused);
        CHECK_FALSE(g->admit(refused));
    }
}

TEST_CASE("an address has one spelling, and hides in no other") {
    const auto g = destination_guard::make({"10.0.0.1", "fd00::/8"}, {});
    REQUIRE(g.has_value());
    CHECK(g->admit("[::ffff:10.0.0.1]:80") == "10.0.0.1:80");
    CHECK_FALSE(g->admit("[::ffff:10.0.0.2]:80"));
    CHECK(g->admit("[fd00:0:0::0:1]:65535") == "[fd00::1]:65535");
}

TEST_CASE("a block that is none is told by name") {
    const auto bad = destination_guard::make({"10.0.0.0/8", "10.0.0.1/8"}, {});
    REQUIRE_FALSE(bad.has_value());
    CHECK(bad.error().message.find("10.0.0.1/8") != std::string::npos);
}
