#include "routing/pools/endpoint_pool.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace sluice;
using namespace sluice::routing;
using namespace std::chrono_literals;

namespace {

const endpoint_pool::time_point start{1000s};

endpoint_config at(std::string url, std::string id = {}) {
    endpoint_config e;
    e.url = std::move(url);
    e.id = std::move(id);
    return e;
}

pool_config unchecked() {
    pool_config c;
    c.check.path.clear();
    c.picking.endpoints = 4;
    c.picking.index_bytes.value = 4 << 20;
    return c;
}

struct fixture {
    explicit fixture(pool_config c = unchecked()) : config(std::move(c)), pool("p", config) { configure(); }
    std::vector<std::string> configure(std::vector<endpoint_config> file = {}) {
        upstream_endpoint address;
        address.provider = "p";
        address.pool_key = "p";
        return pool.configure(config, address, file, start);
    }
    std::vector<std::string> served() const {
        std::vector<std::string> ids;
        for (const auto& m : pool.view()->members) ids.push_back(m->id);
        std::sort(ids.begin(), ids.end());
        return ids;
    }
    const pool_member& member(std::string_view id) const {
        const auto view = pool.view();
        for (const auto& m : view->members) {
            if (m->id == id) return *m;
        }
        throw std::logic_error("no such member");
    }
    pool_config config;
    endpoint_pool pool;
};

using ids = std::vector<std::string>;

}  // namespace

TEST_CASE("endpoints of a pool get their names and addresses from their URLs") {
    fixture f;
    f.config.endpoints = {at("http://10.0.0.1:8000"), at("https://model.example/llm/", "two"), at("http://[::1]")};
    CHECK(f.configure().empty());
    CHECK(f.served() == ids{"10.0.0.1:8000", "[::1]:80", "two"});
    const pool_member& m = f.member("two");
    CHECK(m.address.tls);
    CHECK(m.address.port == 443);
    CHECK(m.address.base_path == "/llm/v1");
    CHECK(m.address.name == "two");
    CHECK(m.address.pool_key == "p https://model.example");
    CHECK(m.url == "https://model.example/llm");
}

TEST_CASE("what a source no longer names is gone, and what others name stays") {
    fixture f;
    f.config.endpoints = {at("http://a:1")};
    f.configure({at("http://b:1")});
    REQUIRE(f.pool.add(at("http://c:1"), start).has_value());
    const auto dns = std::vector{at("http://d:1"), at("http://a:1")};
    CHECK(f.pool.set_source(endpoint_source::dns, dns, start).empty());
    CHECK(f.served() == ids{"a:1", "b:1", "c:1", "d:1"});
    CHECK(f.pool.find("a:1", start)->from == endpoint_source::config);
    f.pool.set_source(endpoint_source::dns, {}, start);
    f.config.endpoints.clear();
    f.configure();
    CHECK(f.served() == ids{"c:1"});
}

TEST_CASE("a pool takes as many endpoints as its picker has slots, and says so") {
    fixture f;
    for (int i = 0; i < 5; ++i) f.config.endpoints.push_back(at("http://h" + std::to_string(i)));
    const auto problems = f.configure();
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].find("room for 4 endpoints") != std::string::npos);
    CHECK(f.served().size() == 4);
}

TEST_CASE("a slot is not given away while requests of its last endpoint are under way") {
    fixture f;
    f.config.endpoints = {at("http://a:1"), at("http://b:1"), at("http://c:1"), at("http://d:1")};
    f.configure();
    const std::uint32_t slot = f.member("a:1").slot;
    picker::request_features features;
    picker::pick_result choice;
    choice.count = 1;
    choice.best[0].slot = slot;
    picker::ticket t = f.pool.picker().dispatch_to(choice.best[0], choice, features, start);
    f.config.endpoints[0] = at("http://e:1");
    CHECK(f.configure().size() == 1);
    CHECK(f.served() == ids{"b:1", "c:1", "d:1"});
    f.pool.picker().on_failed(t, features, start);
    CHECK(f.configure().empty());
    CHECK(f.member("e:1").slot == slot);
}

TEST_CASE("workers see a new view exactly when something has changed for them") {
    fixture f;
    f.config.endpoints = {at("http://a:1")};
    f.configure();
    const auto version = f.pool.version();
    f.pool.tick(start + 1s);
    f.pool.checked("a:1", true, {}, std::nullopt, start);
    CHECK(f.pool.version() == version);
    f.pool.take_offline("a:1", start);
    CHECK(f.pool.version() > version);
    CHECK(f.pool.view()->version == f.pool.version());
    CHECK(f.served().empty());
}

TEST_CASE("checked endpoints serve when their checks are good, and all do when too few are ready") {
    pool_config c = unchecked();
    c.check.path = "/health";
    c.check.unhealthy_after = 1;
    fixture f(c);
    f.config.endpoints = {at("http://a:1"), at("http://b:1"), at("http://c:1")};
    f.configure();
    CHECK(f.pool.view()->panic);
    CHECK(f.served().size() == 3);
    f.pool.checked("a:1", true, {}, std::nullopt, start);
    f.pool.checked("b:1", true, {}, std::nullopt, start);
    CHECK_FALSE(f.pool.view()->panic);
    CHECK(f.served() == ids{"a:1", "b:1"});
    f.pool.checked("b:1", false, "status 500", std::nullopt, start);
    CHECK(f.pool.find("b:1", start)->problem == "status 500");
    CHECK(f.pool.view()->panic);
    CHECK(f.served().size() == 3);
    f.pool.take_offline("b:1", start);
    f.pool.take_offline("c:1", start);
    CHECK(f.served() == ids{"a:1"});
    CHECK_FALSE(f.pool.view()->panic);
    CHECK(f.pool.totals().by_phase[static_cast<std::size_t>(endpoint_phase::offline)] == 2);
}

TEST_CASE("what servers report reaches the picker's view") {
    fixture f;
    f.config.endpoints = {at("http://a:1")};
    f.configure();
    signals::server_report r;
    r.kv_tokens = 1234;
    r.adapters_active = {"tuned"};
    r.adapter_slots = 4;
    f.pool.reported("a:1", r, start);
    f.pool.checked("a:1", true, {}, signals::served_models{{"base"}, {"tuned", "other"}, 4096}, start);
    const picker::pool_endpoint& e = f.pool.view()->picks.endpoints.at(0);
    CHECK(e.kv_tokens == 1234);
    CHECK(e.adapters_active == std::vector{picker::name_hash("tuned")});
    CHECK(e.adapters_known.size() == 2);
    CHECK(e.adapter_slots_free == 3);
    CHECK(e.context_max == 4096);
    CHECK(f.pool.view()->adapters.size() == 2);
}

TEST_CASE("only what the admin API added can be changed and removed by it") {
    fixture f;
    f.config.endpoints = {at("http://a:1")};
    f.configure();
    const auto id = f.pool.add(at("http://b:1", "b"), start);
    REQUIRE(id.has_value());
    CHECK(*id == "b");
    CHECK(f.pool.add(at("http://c:1", "b"), start).error().param == "id");
    endpoint_config changed = at("http://b:2", "ignored");
    changed.weight = 3;
    REQUIRE(f.pool.change("b", changed, start).has_value());
    CHECK(f.member("b").address.port == 2);
    CHECK(f.member("b").weight == 3);
    CHECK_FALSE(f.pool.change("a:1", changed, start).has_value());
    CHECK_FALSE(f.pool.remove("a:1", start).has_value());
    CHECK(f.pool.remove("x", start).error().kind == error_kind::not_found);
    CHECK(f.pool.remove("b", start).has_value());
    CHECK(f.served() == ids{"a:1"});
}

TEST_CASE("what operators changed is kept, also for endpoints that are not known yet") {
    std::string text;
    {
        fixture f;
        f.config.endpoints = {at("http://a:1"), at("http://b:1")};
        f.configure();
        endpoint_config e = at("http://c:1", "c");
        e.labels = {{"zone", "b\"1"}};
        e.weight = 0.5;
        e.max_requests = 7;
        e.kv_tokens = 9;
        REQUIRE(f.pool.add(e, start).has_value());
        REQUIRE(f.pool.take_offline("a:1", start).has_value());
        REQUIRE(f.pool.drain("c", std::nullopt, start).has_value());
        REQUIRE(f.pool.drain("b:1", 5s, start).has_value());
        REQUIRE(f.pool.bring_online("b:1", start).has_value());
        text = f.pool.saved();
    }
    fixture f;
    f.config.endpoints = {at("http://b:1")};
    f.configure();
    REQUIRE(f.pool.restore(text, start).has_value());
    CHECK(f.served() == ids{"b:1"});
    const auto c = f.pool.find("c", start);
    REQUIRE(c.has_value());
    CHECK(c->phase == endpoint_phase::offline);
    CHECK(c->config.labels.at("zone") == "b\"1");
    CHECK(c->config.weight == 0.5);
    CHECK(c->config.max_requests == 7);
    CHECK(c->config.kv_tokens == 9);
    f.config.endpoints = {at("http://a:1"), at("http://b:1")};
    f.configure();
    CHECK(f.pool.find("a:1", start)->phase == endpoint_phase::offline);
    CHECK(f.pool.saved() == text);
}

TEST_CASE("a kept text that cannot be read is told, and nothing is changed") {
    fixture f;
    for (const char* text : {"", "[]", "{}", R"({"version":2})", R"({"version":1,"endpoints":[1]})"}) {
        CAPTURE(text);
        CHECK_FALSE(f.pool.restore(text, start).has_value());
    }
    CHECK(f.pool.restore(R"({"version":1,"endpoints":[{"url":"nonsense"}],"withdrawn":[1,"x"]})", start).has_error());
    CHECK(f.served().empty());
}

TEST_CASE("ejections are looked at as long as one lasts") {
    fixture f;
    CHECK_FALSE(f.pool.any_ejected(start));
    f.pool.ejected(start + 30s);
    f.pool.ejected(start + 10s);
    CHECK(f.pool.any_ejected(start + 29s));
    CHECK_FALSE(f.pool.any_ejected(start + 30s));
}
