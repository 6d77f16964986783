#include "net/tunnel.hpp"
#include "support/loopback.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>

using namespace sluice;
using namespace sluice::net;
using namespace sluice::net_testing;
using namespace std::chrono_literals;

namespace {

struct tunnelled {
    worker_loop w;
    std::unique_ptr<stream> near, far;  // the gateway's ends
    std::unique_ptr<hand> client, upstream;
    std::unique_ptr<tunnel_end> here, there;
    std::shared_ptr<started<bool>> running;

    explicit tunnelled(std::string early_client = {}, std::string early_upstream = {},
                       std::chrono::milliseconds idle = 5s, std::chrono::milliseconds grace = 5s) {
        auto [a, b] = tcp_pair();
        auto [c, d] = tcp_pair();
        near = std::make_unique<stream>(w.loop, std::move(a));
        client = std::make_unique<hand>(w.io, std::move(b));
        far = std::make_unique<stream>(w.loop, std::move(c));
        upstream = std::make_unique<hand>(w.io, std::move(d));
        here.reset(new tunnel_end{*near, std::move(early_client)});
        there.reset(new tunnel_end{*far, std::move(early_upstream)});
        running = start(w.io, run_tunnel(*here, *there, w.buffers, idle, grace));
    }
    ~tunnelled() {
        running->cancel();
        w.until([&] { return running->done; });
    }
    void until_over() {
        w.until([&] { return running->done; });
        CHECK(w.buffers.in_use() == 0);
    }
};

}  // namespace

TEST_CASE("a tunnel passes both ways, what came early first") {
    tunnelled t("early ", "hello ");
    t.client->send("bird");
    t.upstream->send("you");
    CHECK(t.upstream->receive(10) == "early bird");
    CHECK(t.client->receive(9) == "hello you");
    t.w.settle();
    CHECK(t.w.buffers.in_use() == 0);
    CHECK_FALSE(t.running->done);
    t.client->finish();
    t.upstream->finish();
    t.until_over();
    CHECK_FALSE(t.running->thrown);
    CHECK(t.here->bytes == 10);
    CHECK(t.there->bytes == 9);
}

TEST_CASE("a tunnel carries more than any buffer holds, at the pace of the reader") {
    tunnelled t;
    const std::string large(6u << 20, 'x');
    std::string_view left = large;
    std::size_t got = 0;
    while (got < large.size()) {
        const ssize_t n = left.empty() ? 0 : ::send(t.client->fd(), left.data(), left.size(), MSG_NOSIGNAL);
        if (n > 0) left.remove_prefix(static_cast<std::size_t>(n));
        got += t.upstream->receive(std::min<std::size_t>(10'000, large.size() - got)).size();
        REQUIRE(t.w.buffers.in_use() <= 2 * 16384);
    }
    t.client->close();
    t.upstream->close();
    t.until_over();
}

TEST_CASE("an end that finishes is passed on, and the other direction has its grace") {
    tunnelled t({}, {}, 60s, 80ms);
    t.client->finish();
    t.w.until([&] { return t.upstream->ended(); });
    t.upstream->send("answer");
    CHECK(t.client->receive(6) == "answer");
    t.until_over();  // the upstream never finishes
}

TEST_CASE("an end that breaks takes the other with it at once") {
    const bool upstream_breaks = GENERATE(false, true);
    tunnelled t({}, {}, 60s, 60s);
    t.w.settle();
    const auto from = std::chrono::steady_clock::now();
    (upstream_breaks ? t.upstream : t.client)->reset();
    t.until_over();
    CHECK(std::chrono::steady_clock::now() - from < 5s);
    CHECK_FALSE(t.running->thrown);
}

TEST_CASE("a tunnel in which nothing moves ends after its idle time, not before") {
    tunnelled t({}, {}, 150ms);
    t.client->send("x");
    CHECK(t.upstream->receive(1) == "x");
    const auto from = std::chrono::steady_clock::now();
    t.until_over();
    CHECK(std::chrono::steady_clock::now() - from >= 80ms);
}

TEST_CASE("a receiver that does not read is idle, too") {
    tunnelled t({}, {}, 100ms);
    const std::string large(16u << 20, 'x');
    CHECK(::send(t.client->fd(), large.data(), large.size(), MSG_NOSIGNAL) > 0);
    t.until_over();
}

TEST_CASE("a cancelled tunnel stops both directions before it throws") {
    tunnelled t;
    const std::string large(16u << 20, 'x');
    CHECK(::send(t.client->fd(), large.data(), large.size(), MSG_NOSIGNAL) > 0);
    t.w.settle();
    t.running->cancel();
    t.running->cancel();
    t.until_over();
    CHECK(t.running->thrown);
    t.here.reset();
    t.there.reset();
    t.near.reset();
    t.far.reset();
    t.w.settle();
}
