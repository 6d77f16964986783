#include "routing/pools/destination_guard.hpp"

#include "routing/pools/pool_config.hpp"
#include "unit/config/support.hpp"

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

TEST_CASE("a picker that may name others needs networks, and a pool without TLS") {
    const auto problems_of = [](std::string_view pool) {
        pool_config c;
        auto found = sluice::config::testing::problems_of(pool, [&](sluice::config_reader& r) { read_pool(r, c); });
        return found.empty() ? std::string{} : found.front();
    };
    const std::string picker = "picker_service: {address: \"e:1\", destination: passthrough, ";
    CHECK(problems_of(picker + "destination_networks: [10.20.0.0/16], destination_ports: [8000]}\n").empty());
    CHECK(problems_of(picker + "destination_networks: []}\n").find("is required with") != std::string::npos);
    CHECK(problems_of(picker + "first_response: 1s}\n").find("is required with") != std::string::npos);
    CHECK(problems_of(picker + "destination_networks: [10.0.0.1/8]}\n").find("10.0.0.1/8") != std::string::npos);
    CHECK(problems_of(picker + "destination_networks: [10.0.0.0/8]}\nendpoints: [{url: \"https://a\"}]\n")
              .find("speak TLS") != std::string::npos);
    CHECK(problems_of("picker_service: {address: \"e:1\", destination_networks: [10.0.0.0/8]}\n")
              .find("are for destination: passthrough") != std::string::npos);
    CHECK(problems_of("inference_pool: {file: p.yaml}\n" + picker + "destination_networks: [10.0.0.0/8]}\n").empty());
}
