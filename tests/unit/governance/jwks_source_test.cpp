#include "governance/jwks_source.hpp"

#include "support/exchange_fixture.hpp"

#include <catch2/catch.hpp>

#include <cstdio>
#include <fstream>

#include <unistd.h>

using namespace sluice;
using namespace std::chrono_literals;

namespace {

std::string keys_of(std::string_view kid) {
    return R"({"keys":[{"kty":"oct","kid":")" + std::string(kid) + R"(","k":")" + std::string(43, 'A') + R"("}]})";
}

const clock::time_point start{10000s};

// Lets what was started in the background run to its end.
void settle(boost::asio::io_context& io) {
    io.restart();
    io.run();
}

}  // namespace

TEST_CASE("a key set is fetched again when it is old, and sooner after a failure") {
    jwks_schedule plan(10min, 24h);
    CHECK(plan.too_old(start));
    CHECK(plan.begin_if_aged(start));
    CHECK_FALSE(plan.begin_if_aged(start));  // one at a time
    CHECK_FALSE(plan.begin_for_unknown_kid(start));
    plan.finished(false, start + 1s);
    CHECK_FALSE(plan.begin_if_aged(start + 9s));
    CHECK(plan.begin_if_aged(start + 10s));
    plan.finished(true, start + 11s);
    CHECK_FALSE(plan.too_old(start + 11s));
    CHECK_FALSE(plan.begin_if_aged(start + 9min));
    CHECK(plan.begin_if_aged(start + 10min + 10s));
}

TEST_CASE("unknown keys make it fetch at most once a minute, even when that fails") {
    jwks_schedule plan(10min, 24h);
    CHECK(plan.begin_if_aged(start));
    plan.finished(true, start);
    CHECK(plan.begin_for_unknown_kid(start + 1s));
    plan.finished(false, start + 2s);
    for (auto t = 3s; t < 61s; t += 1s) CHECK_FALSE(plan.begin_for_unknown_kid(start + t));
    CHECK(plan.begin_for_unknown_kid(start + 61s));
}

TEST_CASE("old keys serve for the grace and no longer") {
    jwks_schedule plan(10min, 1h);
    CHECK(plan.begin_if_aged(start));
    plan.finished(true, start);
    CHECK_FALSE(plan.too_old(start + 70min));
    CHECK(plan.too_old(start + 70min + 1s));
}

TEST_CASE("a file with keys is read again after it changed") {
    std::string path = "/tmp/sluice-jwks-XXXXXX";
    const int fd = mkstemp(path.data());
    REQUIRE(fd >= 0);
    close(fd);
    const auto write = [&](const std::string& text) { std::ofstream(path) << text; };
    boost::asio::io_context io{1};
    test::fake_services s{io};
    jwks_config c;
    c.file = path;
    jwks_view view(std::make_shared<jwks_source>(c));
    const auto look = [&]() -> const jose::key_set* {
        view.source().refresh_if_aged(s);
        settle(io);
        return view.keys(s.clock.now());
    };
    write(keys_of("one"));
    REQUIRE(look() != nullptr);
    CHECK(look()->find("one") != nullptr);
    write(keys_of("two"));
    s.clock.advance(6s);
    CHECK(look()->find("two") != nullptr);
    write("{");  // half written: the last good one stays
    s.clock.advance(6s);
    CHECK(look()->find("two") != nullptr);
    std::remove(path.c_str());
    s.clock.advance(11s);
    CHECK(look()->find("two") != nullptr);
}

TEST_CASE("workers share one fetch and one set of keys") {
    boost::asio::io_context io{1};
    test::fake_services s{io};
    jwks_config c;
    c.url = "https://issuer/keys";
    auto source = std::make_shared<jwks_source>(c);
    jwks_view one(source), two(source);
    s.fetches.reply_with(keys_of("one"));
    source->refresh_if_aged(s);
    source->refresh_if_aged(s);
    source->refresh_for_unknown_kid(s);
    settle(io);
    CHECK(s.fetches.urls.size() <= 2);
    REQUIRE(one.keys(s.clock.now()) != nullptr);
    CHECK(one.keys(s.clock.now()) == two.keys(s.clock.now()));
}

TEST_CASE("an inline set is never fetched, and a broken one is a mistake of the start") {
    boost::asio::io_context io{1};
    test::fake_services s{io};
    jwks_config c;
    c.text = keys_of("one");
    auto source = std::make_shared<jwks_source>(c);
    source->refresh_if_aged(s);
    source->refresh_for_unknown_kid(s);
    s.clock.advance(10000h);
    CHECK(source->snapshot(s.clock.now()) != nullptr);
    CHECK(s.fetches.urls.empty());
    c.text = "{}";
    CHECK_THROWS(jwks_source(c));
}
