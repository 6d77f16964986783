#include "unit/routing/support.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <set>

using namespace sluice;
using namespace sluice::routing;
using namespace sluice::routing::testing;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view providers = R"(providers:
  - {name: a, base_url: "http://127.0.0.1:1", credentials: [{api_key: one}, {api_key: two}, {api_key: three}]}
  - {name: b, base_url: ["http://127.0.0.1:2", "http://127.0.0.1:3"]}
  - {name: c, base_url: "http://127.0.0.1:4"}
)";

struct planned : world {
    explicit planned(const std::string& models) : world(std::string(providers) + models) {}
    const model& named(std::string_view name) { return *table->find(name).which; }
    attempt_plan plan(std::string_view model_name = "m", std::string_view subject = {}) {
        return {named(model_name), f.x, runtimes, random, subject, all};
    }
    all_targets all;
    steady_time now() { return s.clock.now(); }
    std::string first(std::string_view subject = {}) {
        auto p = plan("m", subject);
        return name_of(p.next(now()));
    }
};

}  // namespace

TEST_CASE("targets are drawn by their weights") {
    planned w(
        "models: [{name: m, targets: [{provider: a, model: x, weight: 70}, {provider: b, model: yy, weight: 20}, "
        "{provider: c, model: z, weight: 10}, {provider: c, model: never, weight: 0}]}]\n");
    std::map<std::string, int> drawn;
    for (int i = 0; i < 10000; ++i) ++drawn[w.first()];
    CHECK(drawn["x"] > 6800);
    CHECK(drawn["x"] < 7200);
    CHECK(drawn["yy"] > 1850);
    CHECK(drawn["yy"] < 2150);
    CHECK(drawn["z"] > 880);
    CHECK(drawn["z"] < 1120);
    CHECK(drawn.count("never") == 0);
}

TEST_CASE("a lone target of weight 0 takes nothing") {
    planned w("models: [{name: m, targets: [{provider: a, model: x, weight: 0}]}]\n");
    CHECK(w.first() == "none");
}

TEST_CASE("a lower priority number goes first, and a higher one only when it has to") {
    planned w(
        "models: [{name: m, targets: [{provider: a, model: second, priority: 1}, {provider: b, model: first}]}]\n");
    for (int i = 0; i < 50; ++i) REQUIRE(w.first() == "first");
    auto plan = w.plan();
    const auto one = plan.next(w.now());
    plan.failed(*one, fault::target);
    const auto two = plan.next(w.now());
    CHECK(w.name_of(two) == "first");  // at its other address
    CHECK(two->endpoint != one->endpoint);
    plan.failed(*two, fault::target);
    const auto three = plan.next(w.now());
    CHECK(w.name_of(three) == "second");
    plan.failed(*three, fault::target);
    CHECK_FALSE(plan.next(w.now()));
}

TEST_CASE("a subject stays with its target, and one that leaves moves only its own subjects") {
    const std::string three =
        "models: [{name: m, targets: [{provider: a, model: x}, {provider: b, model: yy}, {provider: c, model: z, "
        "weight: 2}]}]\n";
    const std::string two =
        "models: [{name: m, targets: [{provider: a, model: x}, {provider: c, model: z, weight: 2}]}]\n";
    planned before(three), after(two);
    std::map<std::string, int> drawn;
    int moved = 0;
    for (int i = 0; i < 3000; ++i) {
        const std::string subject = "team-" + std::to_string(i);
        const std::string arm = before.first(subject);
        REQUIRE(before.first(subject) == arm);
        ++drawn[arm];
        if (arm == "yy") {
            ++moved;
        } else {
            REQUIRE(after.first(subject) == arm);
        }
    }
    CHECK(moved > 600);
    CHECK(drawn["x"] > 600);
    CHECK(drawn["x"] < 900);
    CHECK(drawn["z"] > 1350);
    CHECK(drawn["z"] < 1650);
}

TEST_CASE("a target is eligible when all of its conditions hold") {
    planned w(R"(models:
  - name: m
    targets:
      - {provider: a, model: vip, when: {headers: {x-tier: "gold*"}, tenant: ["acme", "x-*"], key: ["team-?"]}}
      - {provider: b, model: json, priority: 1, when: {body: {reasoning_effort: high, n: "2"}}}
      - {provider: c, model: rest, priority: 2}
)");
    CHECK(w.first() == "rest");
    w.f.head.headers.add("X-Tier", "golden");
    w.f.x.caller.tenant = "acme";
    CHECK(w.first() == "rest");
    w.f.x.caller.key_id = "team-a";
    CHECK(w.first() == "vip");
    w.f.x.caller.key_id = "team-ab";
    w.f.head.body = framing::length;
    w.f.body.text = R"({"model":"m","reasoning_effort":"high","n":2})";
    test::run(w.io, [](exchange& x) -> awaitable<void> { co_await x.json(); }(w.f.x));
    CHECK(w.first() == "json");
}

TEST_CASE("credentials take turns, and a limited one is left out until its time") {
    planned w("models: [{name: m, targets: [{provider: a, model: x}]}]\n");
    std::set<std::size_t> used;
    for (int i = 0; i < 3; ++i) {
        auto plan = w.plan();
        used.insert(plan.next(w.now())->credential);
    }
    CHECK(used.size() == 3);
    auto& credentials = w.runtimes[0]->state().credentials;
    credentials[1].cool_down(w.now(), 20s);
    for (int i = 0; i < 9; ++i) {
        auto plan = w.plan();
        CHECK(plan.next(w.now())->credential != 1);
    }
    credentials[0].cool_down(w.now(), 7s);
    credentials[2].cool_down(w.now(), 1s);
    auto plan = w.plan();
    CHECK_FALSE(plan.next(w.now()));
    CHECK(plan.limited_for(w.now()) == 20s);
    w.s.clock.advance(1s);
    CHECK(plan.next(w.now())->credential == 2);
}

TEST_CASE("a broken address is left out, and when all are broken they are used all the same") {
    planned w("models: [{name: m, targets: [{provider: b, model: x}]}]\n");
    auto& endpoints = w.runtimes[1]->state().endpoints;
    for (int i = 0; i < 5; ++i) endpoints[0].failed(w.now());
    for (int i = 0; i < 10; ++i) {
        auto plan = w.plan();
        CHECK(plan.next(w.now())->endpoint == 1);
    }
    for (int i = 0; i < 5; ++i) endpoints[1].failed(w.now());
    std::set<std::size_t> used;
    for (int i = 0; i < 4; ++i) {
        auto plan = w.plan();
        used.insert(plan.next(w.now())->endpoint);
    }
    CHECK(used.size() == 2);
    w.s.clock.advance(30s);
    CHECK(w.first() == "x");
}

TEST_CASE("another model at the same address is tried after an error, but not after the address was not reached") {
    const std::string models = R"(models:
  - {name: m, targets: [{provider: c, model: big}], fallback: [small]}
  - {name: small, targets: [{provider: c, model: little}]}
)";
    planned w(models);
    {
        auto plan = w.plan();
        plan.failed(*plan.next(w.now()), fault::target);
        CHECK(w.name_of(plan.next(w.now())) == "little");
    }
    {
        auto plan = w.plan();
        plan.failed(*plan.next(w.now()), fault::address);
        CHECK_FALSE(plan.next(w.now()));
    }
}

TEST_CASE("a fallback model follows, if the key may use it") {
    const std::string models = R"(models:
  - {name: m, targets: [{provider: c, model: own}], fallback: [next]}
  - {name: next, targets: [{provider: a, model: other}]}
)";
    planned w(models);
    w.f.x.caller.models = {"m"};
    {
        auto plan = w.plan();
        plan.failed(*plan.next(w.now()), fault::target);
        CHECK_FALSE(plan.next(w.now()));
        w.runtimes[0]->state().credentials[0].cool_down(w.now(), 9s);
        CHECK(plan.limited_for(w.now()) == 0s);  // says nothing of a model the key may not use
    }
    w.f.x.caller.models = {"m", "next"};
    auto plan = w.plan();
    plan.failed(*plan.next(w.now()), fault::target);
    const auto c = plan.next(w.now());
    CHECK(w.name_of(c) == "other");
    CHECK(c->of->config.name == "next");
}

TEST_CASE("an address in good order at a fallback is used before a broken one of the model itself") {
    planned w(R"(models:
  - {name: m, targets: [{provider: c, model: own}], fallback: [next]}
  - {name: next, targets: [{provider: b, model: other}]}
)");
    for (int i = 0; i < 5; ++i) w.runtimes[2]->state().endpoints[0].failed(w.now());
    CHECK(w.first() == "other");
}

TEST_CASE("what was learned is shared by workers and forgotten when the credentials change") {
    boost::asio::io_context io{1};
    test::fake_services s{io};
    const auto with = [](const char* key) {
        return table_of("providers: [{name: a, base_url: \"http://127.0.0.1\", credentials: [{api_key: " +
                        std::string(key) + "}]}]\n");
    };
    const auto one = with("k1"), again = with("k1"), other = with("k2");
    provider_runtime first(*one->providers()[0], s), second(*again->providers()[0], s),
        third(*other->providers()[0], s);
    first.state().credentials[0].cool_down(s.clock.now(), 10s);
    CHECK_FALSE(second.state().credentials[0].available(s.clock.now()));
    CHECK(third.state().credentials[0].available(s.clock.now()));
}

TEST_CASE("a target that the filter does not allow is no candidate, nor is its time of rest waited for") {
    struct without_x final : target_filter {
        bool allows(const model&, const target& t) const override { return t.config.model != "x"; }
    } filter;
    planned w(
        "models: [{name: m, targets: [{provider: a, model: x, weight: 1000}, {provider: b, model: yy}], fallback: "
        "[\"n\"]}, "
        "{name: \"n\", targets: [{provider: c, model: x}, {provider: c, model: z}]}]\n");
    attempt_plan plan{w.named("m"), w.f.x, w.runtimes, w.random, {}, filter};
    const auto first = plan.next(w.now());
    REQUIRE(w.name_of(first) == "yy");
    plan.failed(*first, fault::address);
    const auto other = plan.next(w.now());  // the same target at the provider's other address
    REQUIRE(w.name_of(other) == "yy");
    plan.failed(*other, fault::address);
    CHECK(w.name_of(plan.next(w.now())) == "z");
    for (std::size_t i = 0; i < 3; ++i) w.runtimes[0]->state().credentials[i].cool_down(w.now(), 5s);
    CHECK(plan.limited_for(w.now()) == 0ms);
}
