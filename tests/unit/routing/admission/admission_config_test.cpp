#include "routing/admission/admission_config.hpp"

#include "../support.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::admission;
using namespace std::chrono_literals;
using routing::testing::problems_of;

TEST_CASE("admission without a word in the file is on, with limits that stand") {
    admission_config c;
    CHECK(problems_of("{}", c).empty());
    CHECK(c.queue.enabled);
    CHECK_FALSE(c.trust_headers);
    CHECK(c.otherwise.priority == 4);
    CHECK(c.queue.values.ttl == 60s);
    CHECK(c.queue.values.all.requests == 4'000);
    CHECK(c.capacity.learn);
}

TEST_CASE("classes, limits and capacity are read") {
    admission_config c;
    CHECK(problems_of(R"(
trust_headers: true
classes:
  - {tenants: [gold-*], priority: 6, ttft_slo: 500ms}
  - {objective: batch, priority: 0, sheddable: true, tpot_slo: 80ms}
otherwise: {priority: 2}
queue: {requests: 100, requests_per_priority: 50, requests_per_tenant: 10, bytes: 64MiB, ttl: 20s, age_after: 5s,
        hold_back: 0.1, earliest_deadline_first: true}
capacity: {floor: 2, initial: 16, max: 64, knee: 2.5}
)",
                      c) == "");
    REQUIRE(c.classes.size() == 2);
    CHECK(c.classes[0].tenants == std::vector<std::string>{"gold-*"});
    CHECK(c.classes[0].ttft_slo == 500ms);
    CHECK(c.classes[1].sheddable);
    CHECK(c.classes[1].tpot_slo == 80ms);
    CHECK(c.otherwise.priority == 2);
    CHECK(c.queue.values.per_tenant.requests == 10);
    CHECK(c.queue.values.all.bytes == 64 << 20);
    CHECK(c.queue.values.hold_back == 0.1);
    CHECK(c.queue.values.earliest_deadline_first);
    CHECK(c.capacity.values.knee == 2.5);
}

TEST_CASE("what cannot be meant is a problem with its place") {
    const auto problems = [](std::string_view yaml) {
        admission_config c;
        return problems_of(yaml, c);
    };
    CHECK(problems("classes: [{priority: 3}]").find("a class needs keys, tenants or an objective") !=
          std::string::npos);
    CHECK(problems("classes: [{keys: [a], priority: 8}]").find("priority") != std::string::npos);
    CHECK(problems("classes: [{objective: x}]").find("never matches without trust_headers") != std::string::npos);
    CHECK(problems("otherwise: {keys: [a]}").find("keys") != std::string::npos);
    CHECK(problems("queue: {requests: 10}").find("requests_per_priority: more than") != std::string::npos);
    CHECK(problems("queue: {ttl: 0s}").find("ttl") != std::string::npos);
    CHECK(problems("queue: {aged_every: 1}").find("aged_every") != std::string::npos);
    CHECK(problems("queue: {hold_back: 1}").find("hold_back") != std::string::npos);
    CHECK(problems("capacity: {floor: 300}").find("more than `max`") != std::string::npos);
    CHECK(problems("capacity: {initial: 300}").find("not between") != std::string::npos);
}
