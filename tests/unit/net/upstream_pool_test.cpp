#include "net/upstream_pool.hpp"
#include "support/loopback.hpp"
#include "support/results.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <memory>
#include <string>
#include <vector>

using namespace sluice;
using namespace sluice::net;
using namespace sluice::net_testing;
using namespace std::chrono_literals;

namespace {

// Every dial is a new connection whose other end the test holds.
struct handing_dialer final : dialer {
    explicit handing_dialer(worker_loop& loop) : w(loop) {}
    awaitable<result<std::unique_ptr<stream>>> dial(const upstream_endpoint&) override {
        if (refuse) co_return error{error_kind::upstream_connect, "refused"};
        auto [a, b] = tcp_pair();
        ends.push_back(std::make_unique<hand>(w.io, std::move(b)));
        co_return std::make_unique<stream>(w.loop, std::move(a));
    }
    worker_loop& w;
    std::vector<std::unique_ptr<hand>> ends;
    bool refuse = false;
};

struct pooled {
    explicit pooled(pool_limits limits = {}) : pool(w.loop, w.buffers, dialer, limits) { endpoint.pool_key = "a"; }
    worker_loop w;
    handing_dialer dialer{w};
    http1_pool pool;
    upstream_endpoint endpoint;

    std::unique_ptr<upstream_connection> open(reuse how = reuse::allowed) {
        auto got = run(w.io, pool.open(endpoint, how));
        REQUIRE(got);
        return std::move(*got);
    }
    void exchange() {
        const auto c = open();
        exchange(*c);
    }
    // A whole exchange on `c`, answered by the end that was dialed last.
    void exchange(upstream_connection& c) {
        ask(c);
        dialer.ends.back()->send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        REQUIRE(run(w.io, c.receive_head("GET", 5s)));
        for (;;) {
            const auto p = run(w.io, c.receive(5s));
            REQUIRE(p);
            if (p->last) break;
        }
    }
    void ask(upstream_connection& c) {
        const header_list none;
        std::array<std::string_view, 1> pieces{};
        REQUIRE(run(w.io, c.send({"GET", "/", "h", none}, pieces, true, 5s)));
        CHECK(dialer.ends.back()->receive_through("\r\n\r\n") == "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    }
};

}  // namespace

TEST_CASE("a connection serves one exchange after the other") {
    pooled p;
    for (int i = 0; i < 3; ++i) {
        const auto c = p.open();
        CHECK(c->reused() == (i > 0));
        CHECK(p.pool.idle() == 0);
        p.exchange(*c);
    }
    CHECK(p.pool.idle() == 1);
    CHECK(p.dialer.ends.size() == 1);
    CHECK(p.w.buffers.in_use() == 0);
}

TEST_CASE("endpoints with different keys do not share connections") {
    pooled p;
    p.exchange();
    p.endpoint.pool_key = "b";
    CHECK_FALSE(p.open()->reused());
    p.endpoint.pool_key = "a";
    CHECK(p.open()->reused());
}

TEST_CASE("who asks for a new connection gets one") {
    pooled p;
    p.exchange();
    CHECK_FALSE(p.open(reuse::never)->reused());
    CHECK(p.pool.idle() == 1);
}

TEST_CASE("a connection that is dropped before its response is complete is closed") {
    pooled p;
    {
        const auto c = p.open();
        p.ask(*c);
        p.dialer.ends.back()->send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
        REQUIRE(run(p.w.io, c->receive_head("GET", 5s)));
    }
    CHECK(p.pool.idle() == 0);
    p.w.until([&] { return p.dialer.ends.back()->was_reset() || p.dialer.ends.back()->ended(); });
}

TEST_CASE("an idle connection goes as soon as its other side closes") {
    pooled p;
    p.exchange();
    CHECK(p.pool.idle() == 1);
    p.dialer.ends.back()->close();
    p.w.until([&] { return p.pool.idle() == 0; });
    CHECK_FALSE(p.open()->reused());
}

TEST_CASE("an idle connection that said something unasked is not handed out") {
    pooled p;
    p.exchange();
    p.dialer.ends.back()->send("HTTP/1.1 408 Request Timeout\r\n\r\n");
    p.w.settle();
    CHECK_FALSE(p.open()->reused());
    CHECK(p.dialer.ends.size() == 2);
}

TEST_CASE("idle time, age and number of requests end a connection") {
    pooled idle({.idle_time = 30ms});
    idle.exchange();
    CHECK(idle.pool.idle() == 1);
    idle.w.until([&] { return idle.pool.idle() == 0; });
    idle.w.until([&] { return idle.dialer.ends.back()->ended(); });

    pooled aged({.age = 300ms});
    aged.exchange();
    CHECK(aged.pool.idle() == 1);
    const auto old = std::chrono::steady_clock::now() + 350ms;
    aged.w.until([&] { return std::chrono::steady_clock::now() > old; });
    CHECK_FALSE(aged.open()->reused());

    pooled counted({.requests = 2});
    counted.exchange();
    counted.exchange();
    CHECK(counted.pool.idle() == 0);
}

TEST_CASE("no more connections than allowed are kept") {
    pooled p({.idle_per_endpoint = 2});
    {
        const auto a = p.open();
        p.exchange(*a);
        const auto b = p.open();
        p.exchange(*b);
        const auto c = p.open();
        p.exchange(*c);
    }
    CHECK(p.pool.idle() == 2);
    CHECK(p.dialer.ends.size() == 3);
}

TEST_CASE("a dial that fails is the caller's error") {
    pooled p;
    p.dialer.refuse = true;
    const auto got = run(p.w.io, p.pool.open(p.endpoint, reuse::allowed));
    REQUIRE_FALSE(got);
    CHECK(got.error().kind == error_kind::upstream_connect);
}

TEST_CASE("the pool may go while connections are idle, even if one has just closed") {
    pooled p;
    p.exchange();
    p.dialer.ends.back()->close();
    p.w.settle();
}
