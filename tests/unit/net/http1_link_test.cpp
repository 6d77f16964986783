#include "net/http1_link.hpp"
#include "support/loopback.hpp"
#include "support/results.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <memory>
#include <string>

using namespace sluice;
using namespace sluice::net;
using namespace sluice::net_testing;
using namespace std::chrono_literals;

namespace {

struct called {
    worker_loop w;
    std::unique_ptr<http1_link> link;
    std::unique_ptr<hand> upstream;

    called() {
        auto [a, b] = tcp_pair();
        link = std::make_unique<http1_link>(std::make_unique<stream>(w.loop, std::move(a)), w.buffers);
        upstream = std::make_unique<hand>(w.io, std::move(b));
        REQUIRE(link->begin());
        REQUIRE(run(w.io, link->send_body({}, true, 5s)));
    }
    result<response_head*> head(std::string_view method = "GET", std::chrono::milliseconds timeout = 5s) {
        return run(w.io, link->receive_head(method, timeout));
    }
    result<body_piece> piece(std::chrono::milliseconds timeout = 5s) { return run(w.io, link->receive(timeout)); }
    // The rest of the body, or what broke it.
    std::string body() {
        std::string all;
        for (;;) {
            const auto p = piece();
            if (!p) return all + "!" + std::string(traits(p.error().kind).code);
            all += p->data;
            if (p->last) return all;
        }
    }
};

const std::string ok = "HTTP/1.1 200 OK\r\n";

}  // namespace

TEST_CASE("a response with a length is read to its end, and the connection may serve again") {
    called c;
    c.upstream->send(ok + "Content-Length: 5\r\n\r\nhello");
    const auto h = c.head();
    REQUIRE(h);
    CHECK((*h)->status == 200);
    CHECK((*h)->content_length == 5);
    CHECK_FALSE(c.link->reusable());
    CHECK(c.body() == "hello");
    CHECK(c.link->reusable());
    c.link->rest();
    CHECK(c.w.buffers.in_use() == 0);
    CHECK(c.link->begin());
    CHECK(c.link->requests() == 2);
}

TEST_CASE("chunks come out as one piece however many arrived together") {
    called c;
    c.upstream->send(ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n");
    REQUIRE(c.head());
    const auto first = c.piece();
    REQUIRE(first);
    CHECK(first->data == "abcd");
    CHECK_FALSE(first->last);
    c.upstream->send("2;x=1\r\nef\r\n0\r\nTrailer: t\r\n\r\n");
    CHECK(c.body() == "ef");
    CHECK(c.link->reusable());
}

TEST_CASE("a chunked body is the same wherever it is cut") {
    const std::string wire = "4\r\nab\r\n\r\n1\r\n\n\r\nA\r\n0123456789\r\n0\r\n\r\n";
    for (std::size_t cut = 1; cut < wire.size(); ++cut) {
        called c;
        c.upstream->send(ok + "Transfer-Encoding: chunked\r\n\r\n" + wire.substr(0, cut));
        REQUIRE(c.head());
        auto rest = start(c.w.io, c.link->receive(5s));
        c.w.settle();
        std::string all;
        bool last = false;
        if (rest->done) {  // its view dies with the next call
            REQUIRE(*rest->value);
            all = (*rest->value)->data;
            last = (*rest->value)->last;
        }
        const bool early = rest->done;
        c.upstream->send(wire.substr(cut));
        c.w.until([&] { return rest->done; });
        REQUIRE(*rest->value);
        if (!early) {
            all = (*rest->value)->data;
            last = (*rest->value)->last;
        }
        if (!last) all += c.body();
        INFO(cut);
        CHECK(all == "ab\r\n\n0123456789");
        CHECK(c.link->reusable());
    }
}

TEST_CASE("a body until close ends with the connection and is never used again") {
    called c;
    c.upstream->send(ok + "\r\nall I ");
    REQUIRE(c.head());
    const auto first = c.piece();
    REQUIRE(first);
    CHECK(first->data == "all I ");
    c.upstream->send("have");
    c.upstream->finish();
    CHECK(c.body() == "have");
    CHECK_FALSE(c.link->reusable());
}

TEST_CASE("a body until close that ends by a reset is broken, even when the reset was met by a glance") {
    const bool glance = GENERATE(false, true);
    called c;
    c.upstream->send(ok + "\r\nhalf");
    REQUIRE(c.head());
    REQUIRE(c.piece());
    c.upstream->reset();
    c.w.until([&] { return c.link->socket().hung_up(); });
    if (glance) CHECK(c.link->buffered());
    CHECK(c.body() == "!upstream_reset");
    CHECK_FALSE(c.link->reusable());
}

TEST_CASE("a response that is cut is broken: in its head, in its length, in its chunks") {
    called head;
    head.upstream->send("HTTP/1.1 200 O");
    head.upstream->finish();
    const auto h = head.head();
    REQUIRE_FALSE(h);
    CHECK(h.error().kind == error_kind::upstream_reset);
    CHECK(head.link->got_bytes());

    called length;
    length.upstream->send(ok + "Content-Length: 10\r\n\r\nhello");
    length.upstream->finish();
    REQUIRE(length.head());
    CHECK(length.body() == "hello!upstream_reset");
    CHECK_FALSE(length.link->reusable());

    called chunked;
    chunked.upstream->send(ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    chunked.upstream->finish();
    REQUIRE(chunked.head());
    CHECK(chunked.body() == "hello!upstream_reset");
    CHECK_FALSE(chunked.link->reusable());
}

TEST_CASE("malformed answers are refused and their connection with them") {
    called head;
    head.upstream->send("SSH-2.0-OpenSSH_9.2\r\n\r\n");
    const auto h = head.head();
    REQUIRE_FALSE(h);
    CHECK(h.error().kind == error_kind::upstream_protocol);
    CHECK_FALSE(head.link->reusable());

    called chunk;
    chunk.upstream->send(ok + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n");
    REQUIRE(chunk.head());
    CHECK(chunk.body() == "!upstream_protocol");
    CHECK_FALSE(chunk.link->reusable());
}

TEST_CASE("interim answers are skipped, but not without end") {
    called c;
    c.upstream->send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + ok +
                     "Content-Length: 2\r\n\r\nok");
    const auto h = c.head();
    REQUIRE(h);
    CHECK((*h)->status == 200);
    CHECK_FALSE((*h)->headers.contains("link"));
    CHECK(c.body() == "ok");

    called many;
    std::string wire;
    for (int i = 0; i < 17; ++i) wire += "HTTP/1.1 100 Continue\r\n\r\n";
    many.upstream->send(wire + ok + "\r\n");
    const auto refused = many.head();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == error_kind::upstream_protocol);
}

TEST_CASE("answers without a body are over at once") {
    called head;
    head.upstream->send(ok + "Content-Length: 5\r\n\r\n");
    REQUIRE(head.head("HEAD"));
    CHECK(head.link->buffered());
    CHECK(head.body().empty());
    CHECK(head.link->reusable());

    for (const char* status : {"204 No Content", "304 Not Modified"}) {
        called c;
        c.upstream->send("HTTP/1.1 " + std::string(status) + "\r\n\r\n");
        REQUIRE(c.head());
        CHECK(c.body().empty());
        CHECK(c.link->reusable());
    }
}

TEST_CASE("after a switch of protocols what came behind the head is kept for the tunnel") {
    called c;
    c.upstream->send(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst frame");
    const auto h = c.head();
    REQUIRE(h);
    CHECK((*h)->status == 101);
    CHECK(c.link->leftover() == "first frame");
    CHECK_FALSE(c.link->reusable());
}

TEST_CASE("bytes behind a response spoil its connection") {
    for (const char* framing :
         {"Content-Length: 2\r\n\r\nok", "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"}) {
        called c;
        c.upstream->send(ok + framing + "HTTP/1.1 200 OK\r\n\r\n");
        REQUIRE(c.head());
        CHECK(c.body() == "ok");
        CHECK_FALSE(c.link->reusable());
    }
    called later;
    later.upstream->send(ok + "Content-Length: 2\r\n\r\nok");
    REQUIRE(later.head());
    CHECK(later.body() == "ok");
    CHECK(later.link->reusable());
    later.link->rest();
    later.upstream->send("unasked");
    later.w.until([&] { return later.link->socket().may_read(); });
    CHECK_FALSE(later.link->begin());
}

TEST_CASE("a connection is not used again when either side said so, or the request was not sent") {
    called c;
    c.upstream->send(ok + "Connection: close\r\nContent-Length: 0\r\n\r\n");
    REQUIRE(c.head());
    CHECK(c.body().empty());
    CHECK_FALSE(c.link->reusable());

    called old;
    old.upstream->send("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n");
    REQUIRE(old.head());
    CHECK(old.body().empty());
    CHECK_FALSE(old.link->reusable());

    worker_loop w;
    auto [a, b] = tcp_pair();
    http1_link early(std::make_unique<stream>(w.loop, std::move(a)), w.buffers);
    hand upstream(w.io, std::move(b));
    REQUIRE(early.begin());
    upstream.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
    const auto h = run(w.io, early.receive_head("POST", 5s));
    REQUIRE(h);
    CHECK(run(w.io, early.receive(5s))->last);
    CHECK_FALSE(early.reusable());
    REQUIRE(run(w.io, early.send_body({}, true, 5s)));
    CHECK(early.reusable());
}

TEST_CASE("a new connection has answered only when something came") {
    called c;
    CHECK_FALSE(c.link->answered());
    c.w.settle();
    CHECK_FALSE(c.link->answered());
    c.upstream->send(ok);
    c.w.until([&] { return c.link->socket().may_read(); });
    CHECK(c.link->answered());
}

TEST_CASE("buffered is exact, and what it read is not lost") {
    called c;
    c.upstream->send(ok + "Content-Length: 8\r\n\r\nfour");
    REQUIRE(c.head());
    CHECK(c.link->buffered());
    REQUIRE(c.piece());
    CHECK_FALSE(c.link->buffered());
    c.upstream->send("more");
    c.w.until([&] { return c.link->socket().may_read(); });
    CHECK(c.link->buffered());
    CHECK(c.body() == "more");
    CHECK(c.link->reusable());
}

TEST_CASE("the head and each piece have their deadlines, and a late piece may still be taken") {
    called c;
    const auto none = c.head("GET", 30ms);
    REQUIRE_FALSE(none);
    CHECK(none.error().kind == error_kind::upstream_first_byte_timeout);
    CHECK_FALSE(c.link->reusable());

    called slow;
    slow.upstream->send(ok + "Content-Length: 4\r\n\r\n");
    REQUIRE(slow.head());
    const auto silent = slow.piece(30ms);
    REQUIRE_FALSE(silent);
    CHECK(silent.error().kind == error_kind::upstream_idle_timeout);
    slow.upstream->send("late");
    CHECK(slow.body() == "late");
    CHECK(slow.link->reusable());
}

TEST_CASE("no memory is held while the upstream is silent") {
    called c;
    c.upstream->send(ok + "Content-Length: 8\r\n\r\nfour");
    REQUIRE(c.head());
    REQUIRE(c.piece());
    auto waiting = start(c.w.io, c.link->receive(5s));
    c.w.settle();
    CHECK_FALSE(waiting->done);
    CHECK(c.w.buffers.in_use() == 0);
    c.upstream->send("more");
    c.w.until([&] { return waiting->done; });
    CHECK((*waiting->value)->data == "more");
}

TEST_CASE("a body larger than any buffer passes in bounded memory") {
    called c;
    const std::string large(3u << 20, 'z');
    c.upstream->send(ok + "Content-Length: " + std::to_string(large.size()) + "\r\n\r\n");
    REQUIRE(c.head());
    std::size_t got = 0;
    std::string_view left = large;
    for (;;) {
        const ssize_t n = left.empty() ? 0 : ::send(c.upstream->fd(), left.data(), left.size(), MSG_NOSIGNAL);
        if (n > 0) left.remove_prefix(static_cast<std::size_t>(n));
        const auto p = c.piece();
        REQUIRE(p);
        got += p->data.size();
        REQUIRE(c.w.buffers.in_use() <= 65536);
        if (p->last) break;
    }
    CHECK(got == large.size());
}

TEST_CASE("out of buffers is an error of the gateway, not of the upstream") {
    worker_loop w(1);
    auto [a, b] = tcp_pair();
    http1_link link(std::make_unique<stream>(w.loop, std::move(a)), w.buffers);
    hand upstream(w.io, std::move(b));
    REQUIRE(link.begin());
    upstream.send(ok);
    const auto h = run(w.io, link.receive_head("GET", 5s));
    REQUIRE_FALSE(h);
    CHECK(h.error().kind == error_kind::overloaded);
}

TEST_CASE("a request that nobody takes is a stall, one to nobody a break") {
    called c;
    const std::string large(16u << 20, 'x');
    const auto stalled = run(c.w.io, c.link->send_body(large, false, 40ms));
    REQUIRE_FALSE(stalled);
    CHECK(stalled.error().kind == error_kind::upstream_idle_timeout);
    CHECK_FALSE(c.link->reusable());

    called gone;
    gone.upstream->reset();
    gone.w.until([&] { return gone.link->socket().hung_up(); });
    const auto broken = run(gone.w.io, gone.link->send_body(large, false, 5s));
    REQUIRE_FALSE(broken);
    CHECK(broken.error().kind == error_kind::upstream_reset);
}

TEST_CASE("a request that was refused on its way can still have its answer read") {
    called c;
    c.upstream->send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno");
    c.w.until([&] { return c.link->socket().may_read(); });
    const std::string large(16u << 20, 'x');
    REQUIRE_FALSE(run(c.w.io, c.link->send_body(large, false, 30ms)));
    CHECK(c.link->answered());
    const auto h = c.head("POST");
    REQUIRE(h);
    CHECK((*h)->status == 401);
    CHECK(c.body() == "no");
    CHECK_FALSE(c.link->reusable());
}

TEST_CASE("a request goes out as it is framed, and is complete with its last piece") {
    worker_loop w;
    auto [a, b] = tcp_pair();
    http1_link link(std::make_unique<stream>(w.loop, std::move(a)), w.buffers);
    hand upstream(w.io, std::move(b));
    REQUIRE(link.begin());
    header_list headers;
    headers.add("X-A", "1");
    const outgoing_request head{"POST", "/x", "h", headers, framing::chunked};
    std::array<std::string_view, 1> pieces{};
    REQUIRE(run(w.io, link.send(head, pieces, false, 5s)));
    CHECK(pieces[0].empty());
    REQUIRE(run(w.io, link.send_body("hello", false, 5s)));
    REQUIRE(run(w.io, link.send_body("!", true, 5s)));
    const std::string wire = upstream.receive_through("0\r\n\r\n");
    CHECK(wire.starts_with("POST /x HTTP/1.1\r\nHost: h\r\n"));
    CHECK(wire.ends_with("\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"));
}
