#include "app/gateway_config.hpp"
#include "app/stages.hpp"

#include "unit/config/support.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace sluice;
using app::gateway_config;

namespace {

config::testing::lines problems(std::string_view yaml, gateway_config& c) {
    return config::testing::problems_of(yaml, [&](config_reader& r) { read(r, c); });
}

bool complains(const std::string& yaml, std::string_view of) {
    gateway_config c;
    const auto found = problems(yaml, c);
    for (const std::string& line : found) {
        if (line.find(of) != std::string::npos) return true;
    }
    for (const std::string& line : found) UNSCOPED_INFO(line);
    return false;
}

const std::string listeners = "listeners: [{address: \"127.0.0.1:0\"}]\n";

std::string routes(const std::string& list) {
    return listeners + "routes: [" + list + "]\n";
}

}  // namespace

TEST_CASE("the least that is a configuration has a listener and a route, the rest has defaults") {
    gateway_config c;
    CHECK(problems(routes("{stages: [relay]}"), c).empty());
    CHECK(c.workers == 0);
    CHECK(c.admin.address == "127.0.0.1:9090");
    REQUIRE(c.listeners.size() == 1);
    CHECK_FALSE(c.listeners.front().tls);
    REQUIRE(c.routes.size() == 1);
    CHECK(c.routes.front().limits.body_bytes.value == 8u << 20);
    CHECK(c.routes.front().stages.size() == 1);
}

TEST_CASE("a configuration without listeners, routes or stages is a problem") {
    CHECK(complains("routes: [{stages: [relay]}]", "listeners"));
    CHECK(complains(listeners, "routes"));
    CHECK(complains(routes("{name: a}"), "stages"));
}

TEST_CASE("routes without a name are named by their place") {
    gateway_config c;
    CHECK(problems(routes("{stages: [relay]}, {name: chat, stages: [relay]}, {stages: [relay]}"), c).empty());
    REQUIRE(c.routes.size() == 3);
    CHECK(c.routes[0].name == "route-1");
    CHECK(c.routes[1].name == "chat");
    CHECK(c.routes[2].name == "route-3");
}

TEST_CASE("two routes of one name are a problem, also when one got it by its place") {
    CHECK(complains(routes("{name: a, stages: [relay]}, {name: a, stages: [relay]}"), "already a route \"a\""));
    CHECK(complains(routes("{name: route-2, stages: [relay]}, {stages: [relay]}"), "already a route \"route-2\""));
}

TEST_CASE("stages stand in the order of the file, each read by its own reader") {
    gateway_config c;
    const auto found = problems(routes("{stages: [{rewrite: {body: {set: {a: 1}}}}, route, relay, rewrite]}"), c);
    CHECK(found.empty());
    REQUIRE(c.routes.size() == 1);
    CHECK(c.routes.front().stages.size() == 4);
    CHECK(complains(routes("{stages: [{rewrite: {bodi: {}}}]}"), "body"));
    CHECK(complains(routes("{stages: [{relay: {ping: fast}}]}"), "ping"));
}

TEST_CASE("a stage that does not exist is a problem that names the nearest") {
    CHECK(complains(routes("{stages: [rewrit]}"), "rewrite"));
}

TEST_CASE("every kind of stage has its own name and says what it is for") {
    std::vector<app::stage_maker> made;
    std::set<std::string> names;
    for (const config_variant& kind : app::stage_variants(made)) {
        CAPTURE(kind.name);
        CHECK(names.insert(kind.name).second);
        CHECK(kind.doc.ends_with('.'));
    }
    for (const auto* name : {"auth", "quota", "rewrite", "route", "http", "relay"}) CHECK(names.contains(name));
    CHECK(made.empty());
}

TEST_CASE("limits of the process and of listeners are held to what can work") {
    const std::string rest = "routes: [{stages: [relay]}]\n";
    CHECK(complains(listeners + rest + "workers: -1", "workers"));
    CHECK(complains(listeners + rest + "limits: {buffered_bytes: 1KiB}", "buffered_bytes"));
    CHECK(complains(listeners + rest + "limits: {connections: 0}", "connections"));
    CHECK(complains(rest + "listeners: [{address: \":1\", header_fields: 4}]", "header_fields"));
    CHECK(complains(rest + "listeners: [{head_bytes: 16384}]", "address"));
}
