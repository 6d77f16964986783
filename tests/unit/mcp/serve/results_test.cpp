#include "mcp/serve/results.hpp"
#include "mcp/serve/session_token.hpp"

#include <catch2/catch.hpp>

namespace sluice::mcp {
namespace {
const server_info info{"sluice", {}, "1"};
const std::chrono::system_clock::time_point now{std::chrono::hours(500'000)};
}  // namespace

TEST_CASE("a result of the modern era says its type and who made it") {
    CHECK(
        finished_result(R"({"content":[ ]})", version::v2026_07_28, info) ==
        R"({"content":[ ],"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"sluice","version":"1"}}})");
    CHECK(finished_result(R"({"resultType":"x","_meta":{"a":1}})", version::v2026_07_28, info) ==
          R"({"resultType":"x","_meta":{"a":1,"io.modelcontextprotocol/serverInfo":{"name":"sluice","version":"1"}}})");
    const std::string named =
        R"({"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"other"}}})";
    CHECK(finished_result(named, version::v2026_07_28, info) == named);
}

TEST_CASE("lists of the modern era say how long they hold") {
    const cache_hint hint{std::chrono::milliseconds(5), true};
    const std::string out = finished_result(R"({"tools":[]})", version::v2026_07_28, info, &hint);
    CHECK(out.find(R"("ttlMs":5)") != std::string::npos);
    CHECK(out.find(R"("cacheScope":"public")") != std::string::npos);
}

TEST_CASE("a result of the legacy era has nothing that it does not know") {
    CHECK(finished_result(R"({"tools":[],"resultType":"complete","ttlMs":1,"cacheScope":"public"})",
                          version::v2025_11_25, info) == R"({"tools":[]})");
    CHECK(finished_result(R"({ "a" : 1 })", version::v2025_06_18, info) == R"({ "a" : 1 })");
}

TEST_CASE("a session's id carries what was agreed, for its owner alone") {
    const sealer key(secret{});
    session_facts s{"0123456789abcdef0123456789abcdef", {}};
    s.client.speaks = version::v2025_06_18;
    s.client.can.add(ability::sampling);
    const std::string token = write_session(key, s, "owner", now + std::chrono::hours(1));
    for (const char c : token) CHECK((c >= 0x21 && c <= 0x7e));
    const auto read = read_session(key, token, "owner", now);
    REQUIRE(read.has_value());
    CHECK(read->id == s.id);
    CHECK(read->client.speaks == version::v2025_06_18);
    CHECK(read->client.can.has(ability::sampling));
    CHECK_FALSE(read_session(key, token, "thief", now).has_value());
    CHECK_FALSE(read_session(key, token, "owner", now + std::chrono::hours(2)).has_value());
    CHECK_FALSE(read_session(key, "x", "owner", now).has_value());
}

}  // namespace sluice::mcp
