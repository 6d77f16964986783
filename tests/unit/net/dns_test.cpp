#include "net/dns_cache.hpp"
#include "net/dns_channel.hpp"
#include "net/dns_resolver.hpp"
#include "support/net_testing.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include <chrono>
#include <memory>
#include <string>

using namespace sluice;
using namespace sluice::net;
using namespace sluice::net_testing;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

addresses list(std::initializer_list<const char*> texts) {
    addresses found;
    for (const char* text : texts) found.push_back(asio::ip::make_address(text));
    return found;
}

error broken() {
    return error{error_kind::upstream_dns, "broken"};
}

const dns_cache::time_point start = dns_cache::time_point{} + 1h;

// A resolver that asks a DNS server inside the test.
struct live {
    explicit live(dns_config config = {}) : dns(io) {
        config.servers = {dns.server()};
        names = dns_resolver::make(io.get_executor(), time, config).value();
    }
    result<shared_addresses> resolve(const std::string& host) { return run(io, names->resolve(host)); }

    asio::io_context io{1};
    turned_clock time;
    fake_dns dns;
    std::unique_ptr<dns_resolver> names;
};

dns_config impatient() {
    dns_config config;
    config.query_timeout = 20ms;
    config.tries = 1;
    return config;
}

}  // namespace

TEST_CASE("the cache keeps an answer for its TTL, within the limits") {
    dns_cache cache{{}};
    CHECK(cache.find("a", start).what == dns_cache::advice::look_up);
    cache.store("a", list({"1.1.1.1"}), 30s, start);
    CHECK(cache.find("a", start + 29'999ms).what == dns_cache::advice::use);
    CHECK(cache.find("a", start + 30s).what == dns_cache::advice::look_up);
    cache.store("short", list({"1.1.1.1"}), 0s, start);
    CHECK(cache.find("short", start + 4'999ms).what == dns_cache::advice::use);
    CHECK(cache.find("short", start + 5s).what == dns_cache::advice::look_up);
    cache.store("long", list({"1.1.1.1"}), 86'400s, start);
    CHECK(cache.find("long", start + 59'999ms).what == dns_cache::advice::use);
    CHECK(cache.find("long", start + 60s).what == dns_cache::advice::look_up);
    cache.store("huge", list({"1.1.1.1"}), std::chrono::seconds{INT32_MAX}, start);
    CHECK(cache.find("huge", start + 60s).what == dns_cache::advice::look_up);
}

TEST_CASE("a name in use wants a refresh before it expires, an idle one does not") {
    dns_cache cache{{}};
    cache.store("busy", list({"1.1.1.1"}), 50s, start);
    CHECK_FALSE(cache.find("busy", start + 39s).refresh);
    CHECK(cache.find("busy", start + 40s).refresh);
    CHECK(cache.next_refresh() == start + 40s);
    CHECK(cache.take_due(start + 39s).empty());
    CHECK(cache.take_due(start + 40s) == std::vector<std::string>{"busy"});
    CHECK(cache.take_due(start + 41s).empty());  // once, until there is an answer
    cache.store("busy", list({"1.1.1.1"}), 50s, start + 41s);
    CHECK(cache.take_due(start + 81s) == std::vector<std::string>{"busy"});
    cache.store("busy", list({"1.1.1.1"}), 50s, start + 10min);
    CHECK(cache.take_due(start + 11min).empty());  // unused for more than five minutes
}

TEST_CASE("old addresses serve a failing name until the limit, and new ones replace them") {
    dns_cache cache{{}};
    const auto old = cache.store("a", list({"1.1.1.1"}), 60s, start);
    CHECK(cache.fail("a", broken(), start + 50s) == old);
    CHECK(cache.find("a", start + 55s).what == dns_cache::advice::use);  // not expired yet
    const auto expired = cache.find("a", start + 60s);
    CHECK(expired.what == dns_cache::advice::use_stale);
    CHECK(expired.known == old);
    CHECK(expired.refresh);  // the failure is more than a second old
    CHECK(cache.fail("a", broken(), start + 70s) == old);
    CHECK_FALSE(cache.find("a", start + 70'500ms).refresh);  // it has just been tried

    const auto limit = start + 60s + 1h;
    CHECK(cache.find("a", limit - 1ms).what == dns_cache::advice::use_stale);
    CHECK(cache.find("a", limit).what == dns_cache::advice::look_up);
    CHECK(cache.fail("a", broken(), limit) == nullptr);
    CHECK(cache.find("a", limit).what == dns_cache::advice::fail);

    cache.store("a", list({"2.2.2.2"}), 60s, limit + 1s);
    CHECK(*cache.find("a", limit + 2s).known == list({"2.2.2.2"}));
}

TEST_CASE("a failure is remembered for a moment only") {
    dns_cache cache{{}};
    CHECK(cache.fail("a", broken(), start) == nullptr);
    const auto seen = cache.find("a", start + 999ms);
    CHECK(seen.what == dns_cache::advice::fail);
    CHECK(seen.failure->message == "broken");
    CHECK(cache.find("a", start + 1s).what == dns_cache::advice::look_up);
}

TEST_CASE("the cache forgets the least recently used name when it is full") {
    dns_cache_limits limits;
    limits.names_max = 2;
    dns_cache cache{limits};
    cache.store("a", list({"1.1.1.1"}), 60s, start);
    cache.store("b", list({"1.1.1.1"}), 60s, start);
    cache.find("a", start);
    cache.store("c", list({"1.1.1.1"}), 60s, start);
    CHECK(cache.size() == 2);
    CHECK(cache.find("a", start).what == dns_cache::advice::use);
    CHECK(cache.find("b", start).what == dns_cache::advice::look_up);
}

TEST_CASE("an answer that did not change keeps its object") {
    dns_cache cache{{}};
    const auto first = cache.store("a", list({"1.1.1.1"}), 60s, start);
    CHECK(cache.store("a", list({"1.1.1.1"}), 60s, start + 30s) == first);
    CHECK(cache.store("a", list({"1.1.1.2"}), 60s, start + 60s) != first);
}

TEST_CASE("DNS servers are checked as written") {
    for (const char* good : {"10.0.0.2", "10.0.0.2:5353", "fd00::2", "[fd00::2]", "[fd00::2]:53"}) {
        INFO(good);
        CHECK(dns_channel::check_server(good).has_value());
    }
    for (const char* bad : {"", "dns.example.com", "10.0.0.2:", "10.0.0.2:0", "10.0.0.2:65536", "10.0.0.2:x",
                            "[fd00::2", "[fd00::2]53", "[fd00::2]:", "10.0.0.2,10.0.0.3"}) {
        INFO(bad);
        CHECK_FALSE(dns_channel::check_server(bad).has_value());
    }
}

TEST_CASE("a name resolves to its IPv4 and IPv6 addresses and is asked for once per TTL") {
    live t;
    t.dns.set("api.test", {{"192.0.2.1", "192.0.2.2", "2001:db8::1"}, 30, 0, false});
    const auto found = t.resolve("API.test");
    REQUIRE(found.has_value());
    CHECK((*found)->size() == 3);
    CHECK(std::count((*found)->begin(), (*found)->end(), asio::ip::make_address("2001:db8::1")) == 1);
    CHECK(t.resolve("api.test").value() == *found);
    CHECK(t.dns.asked("api.test") == 1);
    CHECK(t.names->stats().hits == 1);
    t.time.advance(31s);
    t.dns.set("api.test", {{"192.0.2.3"}, 30, 0, false});
    CHECK(*t.resolve("api.test").value() == list({"192.0.2.3"}));
}

TEST_CASE("literals and localhost are answered without DNS, numbers in disguise not at all") {
    live t;
    CHECK(*t.resolve("127.0.0.1").value() == list({"127.0.0.1"}));
    CHECK(*t.resolve("[::1]").value() == list({"::1"}));
    CHECK(*t.resolve("localhost").value() == list({"127.0.0.1", "::1"}));
    for (const char* host : {"127.1", "0x7f.1", "2130706433", "", "a b"}) {
        const auto found = t.resolve(host);
        REQUIRE_FALSE(found.has_value());
        CHECK(found.error().kind == error_kind::upstream_dns);
    }
    CHECK(t.names->stats().lookups == 0);
}

TEST_CASE("the error of a name that does not exist says so, and is remembered") {
    live t;
    const auto found = t.resolve("missing.test.");
    REQUIRE_FALSE(found.has_value());
    CHECK(found.error().kind == error_kind::upstream_dns);
    CHECK(found.error().message == "cannot resolve missing.test.: no such name");
    CHECK_FALSE(t.resolve("missing.test.").has_value());
    CHECK(t.names->stats().lookups == 1);
    CHECK(t.names->stats().negative_hits == 1);
}

TEST_CASE("when DNS fails, the last good addresses go on serving and recover with it") {
    live t{impatient()};
    t.dns.set("api.test", {{"192.0.2.1"}, 10, 0, false});
    REQUIRE(t.resolve("api.test").has_value());
    t.time.advance(11s);
    SECTION("with SERVFAIL") {
        t.dns.set("api.test", {{}, 0, 2, false});
    }
    SECTION("with NXDOMAIN") {
        t.dns.set("api.test", {{}, 0, 3, false});
    }
    SECTION("with silence") {
        t.dns.set("api.test", {{}, 0, 0, true});
    }
    CHECK(*t.resolve("api.test").value() == list({"192.0.2.1"}));
    CHECK(t.names->stats().stale_served >= 1);
    CHECK(t.names->stats().failures == 1);

    t.dns.set("api.test", {{"192.0.2.9"}, 10, 0, false});
    t.time.advance(2s);
    CHECK(*t.resolve("api.test").value() == list({"192.0.2.1"}));  // at once; the lookup runs behind it
    run_until(t.io, [&] { return t.dns.asked("api.test") >= 3; });
    run_until(t.io, [&] { return *t.resolve("api.test").value() == list({"192.0.2.9"}); });
}

TEST_CASE("a late answer lets old addresses serve after a short wait") {
    dns_config config;
    config.stale_after = 10ms;
    live t{config};
    t.dns.set("api.test", {{"192.0.2.1"}, 10, 0, false});
    REQUIRE(t.resolve("api.test").has_value());
    t.time.advance(11s);
    t.dns.set("api.test", {{}, 0, 0, true});
    CHECK(*t.resolve("api.test").value() == list({"192.0.2.1"}));
}

TEST_CASE("all who wait for a name share one lookup, and too many are refused") {
    dns_config config;
    config.waiters_max = 3;
    live t{config};
    t.dns.set("api.test", {{"192.0.2.1"}, 10, 0, false});
    int good = 0;
    int refused = 0;
    for (int i = 0; i < 5; ++i) {
        asio::co_spawn(t.io, t.names->resolve("api.test"), [&](std::exception_ptr, result<shared_addresses> found) {
            if (found)
                ++good;
            else if (found.error().kind == error_kind::overloaded)
                ++refused;
        });
    }
    run_until(t.io, [&] { return good + refused == 5; });
    CHECK(good == 3);
    CHECK(refused == 2);
    CHECK(t.dns.asked("api.test") == 1);
}

TEST_CASE("a wait for a silent server ends at its limit, and the answer that comes later is kept") {
    live t;
    t.dns.set("api.test", {{}, 0, 0, true});
    const auto found = run(t.io, t.names->resolve("api.test", 10ms));
    REQUIRE_FALSE(found.has_value());
    CHECK(found.error().kind == error_kind::upstream_dns);
    CHECK(found.error().message == "cannot resolve api.test: no answer in time");
}

TEST_CASE("a wait that is cancelled leaves nothing behind") {
    live t{impatient()};
    t.dns.set("api.test", {{}, 0, 0, true});
    asio::cancellation_signal abort;
    bool ended = false;
    bool threw = false;
    asio::co_spawn(t.io, t.names->resolve("api.test"),
                   asio::bind_cancellation_slot(abort.slot(), [&](std::exception_ptr e, result<shared_addresses>) {
                       ended = true;
                       threw = e != nullptr;
                   }));
    run_until(t.io, [&] { return t.dns.asked("api.test") == 1; });
    abort.emit(asio::cancellation_type::terminal);
    run_until(t.io, [&] { return ended; });
    CHECK(threw);
    // The lookup nobody waits for ends by itself, and the next request is served as ever.
    run_until(t.io, [&] { return t.names->stats().failures == 1; });
    t.dns.set("api.test", {{"192.0.2.1"}, 10, 0, false});
    t.time.advance(2s);
    CHECK(t.resolve("api.test").has_value());
}

TEST_CASE("a resolver may go before those who wait in it, and a loop with waits in it may go") {
    SECTION("the resolver first") {
        live t;
        t.dns.set("api.test", {{}, 0, 0, true});
        std::optional<error_kind> kind;
        asio::co_spawn(t.io, t.names->resolve("api.test"),
                       [&](std::exception_ptr, result<shared_addresses> found) { kind = found.error().kind; });
        run_until(t.io, [&] { return t.dns.asked("api.test") == 1; });
        t.names.reset();
        run_until(t.io, [&] { return kind.has_value(); });
        CHECK(*kind == error_kind::draining);
    }
    SECTION("the loop first") {
        turned_clock time;
        auto io = std::make_unique<asio::io_context>(1);
        auto dns = std::make_unique<fake_dns>(*io);
        dns->set("api.test", {{}, 0, 0, true});
        dns_config config;
        config.servers = {dns->server()};
        auto names = dns_resolver::make(io->get_executor(), time, config).value();
        asio::co_spawn(*io, names->resolve("api.test"), [](std::exception_ptr, result<shared_addresses>) {});
        run_until(*io, [&] { return dns->asked("api.test") == 1; });
        dns.reset();
        names.reset();
        io.reset();  // the frame dies without having been resumed
        SUCCEED();
    }
}

TEST_CASE("the name in use is refreshed ahead of its expiry without anybody asking") {
    dns_config config;
    config.ttl_min = 20ms;
    config.ttl_max = 20ms;
    live t{config};
    t.dns.set("api.test", {{"192.0.2.1"}, 1, 0, false});
    REQUIRE(t.resolve("api.test").has_value());
    t.time.advance(17ms);
    run_until(t.io, [&] { return t.dns.asked("api.test") >= 2; });
    CHECK(t.dns.asked("api.test") >= 2);
}
