#include "routing/pools/endpoint_pool.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::routing;
using namespace std::chrono_literals;

namespace {

const endpoint_pool::time_point start{1000s};

struct fixture {
    fixture() : config(small()), pool("p", config) { configure(); }
    static pool_config small() {
        pool_config c;
        c.check.path.clear();
        c.picking.endpoints = 3;
        c.picking.index_bytes.value = 4 << 20;
        c.endpoints.emplace_back().url = "http://10.0.0.1:8000";
        return c;
    }
    std::vector<std::string> configure() {
        upstream_endpoint address;
        address.provider = address.pool_key = "p";
        return pool.configure(config, address, {}, start);
    }
    std::size_t named() const { return pool.view()->named.size(); }
    pool_config config;
    endpoint_pool pool;
};

}  // namespace

TEST_CASE("an address that only a picker knows is served there and balanced by nobody") {
    fixture f;
    const auto before = f.pool.version();
    const auto m = f.pool.admit("10.0.0.2:8000", start);
    REQUIRE(m != nullptr);
    CHECK(m->id == "10.0.0.2:8000");
    CHECK(m->address.base_path == "/v1");
    CHECK_FALSE(m->address.tls);
    CHECK(f.pool.version() > before);
    CHECK(f.pool.admit("10.0.0.2:8000", start) == m);
    CHECK(f.named() == 1);
    CHECK(f.pool.view()->members.size() == 1);
    CHECK(f.pool.view()->picks.endpoints.size() == 1);
    CHECK(f.pool.watch_list().size() == 1);
    CHECK(f.pool.totals().named == 1);
    CHECK(f.pool.view()->members.front()->slot != m->slot);
}

TEST_CASE("an address that was not named for a minute is forgotten") {
    fixture f;
    const auto m = f.pool.admit("10.0.0.2:8000", start);
    f.pool.tick(start + 59s);
    CHECK(f.named() == 1);
    m->state->named_at.store(ticks(start + 59s));
    f.pool.tick(start + 100s);
    CHECK(f.named() == 1);
    f.pool.tick(start + 120s);
    CHECK(f.named() == 0);
}

TEST_CASE("addresses take turns where there is no room, the longest idle goes first") {
    fixture f;
    const auto first = f.pool.admit("10.0.0.2:1", start);
    const auto second = f.pool.admit("10.0.0.2:2", start + 1s);
    first->state->named_at.store(ticks(start + 2s));
    const auto third = f.pool.admit("10.0.0.2:3", start + 3s);
    REQUIRE(third != nullptr);
    CHECK(third->slot == second->slot);
    CHECK(f.pool.admit("10.0.0.2:1", start) == first);
    // The pool's own endpoints come before them.
    f.config.endpoints.emplace_back().url = "http://10.0.0.5:1";
    f.config.endpoints.emplace_back().url = "http://10.0.0.6:1";
    CHECK(f.configure().empty());
    CHECK(f.named() == 0);
    CHECK(f.pool.admit("10.0.0.2:4", start) == nullptr);
}

TEST_CASE("an endpoint of the pool is not reached around the operator, and becomes the pool's when a source names it") {
    fixture f;
    CHECK(f.pool.admit("10.0.0.1:8000", start) == nullptr);
    REQUIRE(f.pool.take_offline("10.0.0.1:8000", start).has_value());
    CHECK(f.pool.admit("10.0.0.1:8000", start) == nullptr);
    REQUIRE(f.pool.admit("10.0.0.2:8000", start) != nullptr);
    endpoint_config e;
    e.url = "http://10.0.0.2:8000";
    e.id = "two";
    REQUIRE(f.pool.add(e, start).has_value());
    CHECK(f.named() == 0);
    CHECK(f.pool.admit("10.0.0.2:8000", start) == nullptr);
}
