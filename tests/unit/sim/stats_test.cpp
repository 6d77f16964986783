#include "sim/stats.hpp"

#include <catch2/catch.hpp>

#include <cctype>

using namespace sluice::sim;

TEST_CASE("the last heads are kept in order and the older ones go") {
    stats s(2);
    for (const auto* head : {"GET /1 HTTP/1.1\r\nA: b", "GET /2 HTTP/1.1\r\nC: d", "GET /3 HTTP/1.1"}) {
        s.request_began(head, 0, 1);
        s.request_ended("/x", "200");
    }
    const auto json = s.to_json("n");
    CHECK(json.find("\"/1\"") == std::string::npos);
    CHECK(json.find(R"("target":"/2","headers":[["C","d"]])") != std::string::npos);
    CHECK(json.find(R"("target":"/3","headers":[])") != std::string::npos);
    CHECK(json.find(R"("requests":{"/x":{"200":3}})") != std::string::npos);
}

TEST_CASE("a reset forgets what was and keeps what is open") {
    stats s(2);
    s.connection_opened();
    s.request_began("GET / HTTP/1.1", 0, 1);
    s.reset();
    CHECK(s.to_json("n").find(R"("concurrent":{"now":1,"max":1})") != std::string::npos);
    s.request_ended("/", "200");
    s.connection_closed();
    CHECK(s.to_json("n").find(R"("open":0,)") != std::string::npos);
}

TEST_CASE("an abort tells the time since the mark that was set before it") {
    stats s(2);
    s.aborted({"/a", steady::now(), steady::now(), 3, 100});
    s.mark();
    s.aborted({"/b", steady::now(), steady::now(), 4, 200});
    const auto json = s.to_json("n");
    CHECK(json.find(R"("since_mark_ms":null,"events_sent":3)") != std::string::npos);
    const auto second = json.rfind(R"("since_mark_ms":)");
    REQUIRE(second != std::string::npos);
    CHECK(std::isdigit(static_cast<unsigned char>(json[second + 16])) != 0);  // a time, however slow this machine is
}
