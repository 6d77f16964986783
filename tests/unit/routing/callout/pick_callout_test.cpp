#include "routing/callout/pick_callout.hpp"

#include <catch2/catch.hpp>

#include <array>

using namespace sluice;
using namespace std::chrono_literals;

TEST_CASE("the callout's question says what is known of a request and of each endpoint") {
    const std::map<std::string, std::string> labels{{"zone", "b\"1"}};
    const std::array<std::uint64_t, 2> prefix{0x9f, 0xffffffffffffffff};
    callout::question q;
    q.request_id = "r1";
    q.pool = "llama";
    q.model = "m";
    q.prompt_tokens = 12.7;
    q.prefix = prefix;
    q.headers = {{"x-team", "a"}};
    q.candidates = {{.id = "one", .address = "10.0.0.1:80", .labels = &labels, .inflight = 3, .expected_ttft_s = 0.25}};
    CHECK(
        callout::write(q) ==
        R"({"request_id":"r1","pool":"llama","model":"m","prompt_tokens":12,"prefix":["000000000000009f","ffffffffffffffff"],)"
        R"("headers":{"x-team":"a"},"candidates":[{"id":"one","address":"10.0.0.1:80","labels":{"zone":"b\"1"},)"
        R"("inflight":3,"expected_ttft_ms":250,"cached_tokens":0}]})");
}

TEST_CASE("the callout's answer is an order, a refusal or no opinion") {
    const auto order = callout::read(200, R"({"endpoints":["b","a","b"],"ttl_ms":500})");
    REQUIRE(order.has_value());
    CHECK(order->endpoints == std::vector<std::string>{"b", "a"});
    CHECK(order->ttl == 500ms);
    const auto none = callout::read(204, "");
    REQUIRE(none.has_value());
    CHECK((none->endpoints.empty() && none->status == 0));
    const auto refusal = callout::read(200, R"({"status":429,"headers":{"retry-after":"3"},"body":{"error":1}})");
    REQUIRE(refusal.has_value());
    CHECK(refusal->status == 429);
    CHECK(refusal->body == R"({"error":1})");
    CHECK(refusal->headers.find("content-type") == "application/json");
    CHECK(refusal->headers.find("retry-after") == "3");
    CHECK(callout::read(200, R"({"endpoints":["a"],"ttl_ms":99999999999})")->ttl == 1h);
}

TEST_CASE("every other answer of a callout is an error") {
    for (const char* body : {"", "[]", "{}", R"({"endpoints":"a"})", R"({"endpoints":[1]})", R"({"endpoints":[""]})",
                             R"({"endpoints":["a"],"status":429})", R"({"status":200})", R"({"status":"429"})",
                             R"({"status":700})", R"({"status":429,"headers":[]})",
                             R"({"status":429,"headers":{"a b":"x"}})", R"({"status":429,"headers":{"a":"x\r\ny"}})",
                             R"({"endpoints":["a"],"ttl_ms":"1"})", R"({"endpoints":["a"],"ttl_ms":-1})"}) {
        CAPTURE(body);
        CHECK_FALSE(callout::read(200, body).has_value());
    }
    CHECK_FALSE(callout::read(500, "{}").has_value());
    std::string many = R"({"endpoints":["0")";
    for (int i = 1; i <= 64; ++i) many += ",\"" + std::to_string(i) + '"';
    CHECK_FALSE(callout::read(200, many + "]}").has_value());
}

TEST_CASE("kept orders end with their time, and the least recently used goes first") {
    callout::verdict_cache cache(2);
    const callout::verdict_cache::time_point now{1h};
    cache.keep("a", {"1"}, 1s, now);
    cache.keep("b", {"2"}, 10s, now);
    REQUIRE(cache.find("a", now) != nullptr);
    CHECK(cache.find("a", now)->front() == "1");
    cache.keep("c", {"3"}, 10s, now);
    CHECK(cache.find("b", now) == nullptr);
    CHECK(cache.find("a", now + 1s) == nullptr);
    CHECK(cache.size() == 1);
    cache.keep("c", {"4"}, 10s, now);
    CHECK(cache.find("c", now)->front() == "4");
    cache.keep("c", {"4"}, 0s, now);
    CHECK(cache.size() == 0);
}
