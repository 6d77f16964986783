#include "net/stream.hpp"
#include "net/tls_client.hpp"
#include "net/tls_server.hpp"
#include "support/loopback.hpp"
#include "support/net_certificates.hpp"
#include "support/results.hpp"

#include <boost/system/system_error.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

using namespace sluice;
using namespace sluice::net;
using namespace sluice::net_testing;
using namespace std::chrono_literals;

namespace {

struct connection {
    worker_loop w;
    std::unique_ptr<stream> ours;
    std::unique_ptr<hand> theirs;

    connection() {
        auto [a, b] = tcp_pair();
        ours = std::make_unique<stream>(w.loop, std::move(a));
        theirs = std::make_unique<hand>(w.io, std::move(b));
    }
};

awaitable<std::string> read_text(stream& s, std::size_t n) {
    std::string text;
    while (text.size() < n) {
        std::array<char, 65536> bytes;
        const io_result r = s.read_some(bytes);
        if (r.status == io_status::ok) text.append(bytes.data(), r.bytes);
        if (r.status == io_status::eof || r.status == io_status::failed) break;
        if (r.status != io_status::again) continue;
        const ready how = co_await s.readable(5s);
        if (how == ready::timeout) break;
    }
    co_return text;
}

awaitable<io_status> write_text(stream& s, std::string text, std::chrono::milliseconds stall = 5s) {
    const std::array<std::string_view, 1> pieces{text};
    co_return co_await s.write_all(pieces, stall);
}

io_status read_once(stream& s) {
    std::array<char, 4096> bytes;
    return s.read_some(bytes).status;
}

bool cancelled(const std::exception_ptr& thrown) {
    if (!thrown) return false;
    try {
        std::rethrow_exception(thrown);
    } catch (const boost::system::system_error& e) {
        return e.code() == boost::asio::error::operation_aborted;
    }
}

// Both ends of one TLS connection, on one loop.
struct tls_connection {
    worker_loop w;
    authority ca;
    temporary_folder folder;
    tls_trust trust;
    std::shared_ptr<tls_session_store> sessions = std::make_shared<tls_session_store>();
    std::unique_ptr<tls_server_contexts> server;
    std::shared_ptr<const tls_client_context> client;
    std::unique_ptr<stream> near, far;  // the client's, the server's

    explicit tls_connection(const std::string& certified = "DNS:api.test") {
        std::signal(SIGPIPE, SIG_IGN);  // as the gateway does: OpenSSL writes without MSG_NOSIGNAL
        const auto id = ca.issue({.names = {certified}});
        tls_server_config serving;
        serving.certificates = {{folder.write("a.pem", id.certificate), folder.write("a.key", id.key), {}}};
        server = tls_server_contexts::make(serving).value();
        tls_client_config trusting;
        trusting.ca_file = folder.write("ca.pem", ca.pem());
        client = tls_client_context::make(trusting, trust).value();
        auto [a, b] = tcp_pair();
        near = std::make_unique<stream>(w.loop, std::move(a));
        far = std::make_unique<stream>(w.loop, std::move(b));
    }
    std::pair<result<void>, result<void>> shake() {
        auto n = start(w.io, near->handshake(client->new_session(sessions, "api.test", 443).value(), "api.test", 5s));
        auto f = start(w.io, far->handshake(server->new_session(), "the client", 5s));
        w.until([&] { return n->done && f->done; });
        return {*n->value, *f->value};
    }
};

}  // namespace

TEST_CASE("a stream reads what is there and waits for what is not") {
    connection c;
    CHECK(read_once(*c.ours) == io_status::again);
    auto text = start(c.w.io, read_text(*c.ours, 10));
    c.theirs->send("hello");
    c.w.settle();
    CHECK_FALSE(text->done);
    c.theirs->send("world");
    c.w.until([&] { return text->done; });
    CHECK(*text->value == "helloworld");
}

TEST_CASE("a wait ends at its deadline") {
    connection c;
    REQUIRE(read_once(*c.ours) == io_status::again);
    const auto from = std::chrono::steady_clock::now();
    CHECK(run(c.w.io, c.ours->readable(30ms)) == ready::timeout);
    CHECK(std::chrono::steady_clock::now() - from >= 15ms);
}

TEST_CASE("a cancelled wait throws, and the stream may die right behind the cancellation") {
    connection c;
    REQUIRE(read_once(*c.ours) == io_status::again);
    auto waiting = start(c.w.io, c.ours->readable(5s));
    c.w.settle();
    waiting->cancel();
    CHECK_FALSE(waiting->done);  // not inline: whoever cancels may stand on the frames that unwind
    c.w.until([&] { return waiting->done; });
    CHECK(cancelled(waiting->thrown));
    // Nothing is left that would wake the dead.
    c.ours.reset();
    c.theirs->send("late");
    c.w.settle();
}

TEST_CASE("a cancellation that comes twice, or with the event it waits for, ends the wait once") {
    connection c;
    REQUIRE(read_once(*c.ours) == io_status::again);
    auto waiting = start(c.w.io, c.ours->readable(5s));
    c.w.settle();
    c.theirs->send("x");
    waiting->cancel();
    waiting->cancel();
    c.w.until([&] { return waiting->done; });
    CHECK(run(c.w.io, read_text(*c.ours, 1)) == "x");
    waiting->cancel();  // behind its end
    c.w.settle();
}

TEST_CASE("a wait for reading can be ended from outside, as if its time were over") {
    connection c;
    c.ours->end_readable();  // nobody waits
    REQUIRE(read_once(*c.ours) == io_status::again);
    auto waiting = start(c.w.io, c.ours->readable(5s));
    c.w.settle();
    c.ours->end_readable();
    c.w.until([&] { return waiting->done; });
    CHECK(*waiting->value == ready::timeout);
}

TEST_CASE("a writer is held back by a reader that does not read, and goes on when it does") {
    connection c;
    const std::string large(8u << 20, 'x');
    auto writing = start(c.w.io, write_text(*c.ours, large));
    c.w.settle();
    CHECK_FALSE(writing->done);
    const std::string got = c.theirs->receive(large.size());
    c.w.until([&] { return writing->done; });
    CHECK(*writing->value == io_status::ok);
    CHECK((got == large));
}

TEST_CASE("a writer gives up when nothing moves for its time") {
    connection c;
    auto writing = start(c.w.io, write_text(*c.ours, std::string(16u << 20, 'x'), 40ms));
    c.w.until([&] { return writing->done; });
    CHECK(*writing->value == io_status::again);
}

TEST_CASE("many pieces go out in order, empty ones too, from any offset") {
    connection c;
    std::vector<std::string> texts;
    std::string whole;
    for (int i = 0; i < 200; ++i) {
        texts.push_back(i % 3 == 0 ? std::string{} : std::to_string(i) + ",");
        whole += texts.back();
    }
    const std::vector<std::string_view> pieces(texts.begin(), texts.end());
    std::size_t done = 7;
    while (done < whole.size()) {
        const io_result r = c.ours->write_some(pieces, done);
        REQUIRE(r.status == io_status::ok);
        done += r.bytes;
    }
    CHECK(c.theirs->receive(whole.size() - 7) == whole.substr(7));
}

TEST_CASE("readers and writers of one stream wait side by side") {
    connection c;
    const std::string large(8u << 20, 'x');
    auto writing = start(c.w.io, write_text(*c.ours, large));
    auto reading = start(c.w.io, read_text(*c.ours, 4));
    c.w.settle();
    CHECK_FALSE(writing->done);
    c.theirs->send("ping");
    c.w.until([&] { return reading->done; });
    CHECK_FALSE(writing->done);
    c.theirs->receive(large.size());
    c.w.until([&] { return writing->done; });
    CHECK(*reading->value == "ping");
}

TEST_CASE("a reset ends reader and writer, in whatever order they die") {
    connection c;
    auto writing = start(c.w.io, write_text(*c.ours, std::string(16u << 20, 'x')));
    auto reading = start(c.w.io, read_text(*c.ours, 4));
    c.w.settle();
    c.theirs->reset();
    c.w.until([&] { return reading->done && writing->done; });
    CHECK(*writing->value == io_status::failed);
    CHECK(reading->value->empty());
    CHECK(c.ours->hung_up());
}

TEST_CASE("bytes before a FIN are read before the end is seen") {
    connection c;
    c.theirs->send("last words");
    c.theirs->finish();
    c.w.until([&] { return c.ours->hung_up(); });
    std::array<char, 4> bytes;
    std::string text;
    io_result r = c.ours->read_some(bytes);
    for (; r.status == io_status::ok; r = c.ours->read_some(bytes)) text.append(bytes.data(), r.bytes);
    CHECK(text == "last words");
    CHECK(r.status == io_status::eof);
}

TEST_CASE("a hang-up is told once, whether somebody reads or not") {
    const bool reads = GENERATE(false, true);
    connection c;
    int told = 0;
    c.ours->watch_hang_up([](void* n) { ++*static_cast<int*>(n); }, &told);
    std::shared_ptr<started<std::string>> reading;
    if (reads) reading = start(c.w.io, read_text(*c.ours, 3));
    c.w.settle();
    c.theirs->send("abc");
    c.theirs->finish();
    c.w.until([&] { return c.ours->hung_up(); });
    if (reads) c.w.until([&] { return reading->done; });
    CHECK(told == 1);
    c.theirs->reset();
    c.w.settle();
    CHECK(told == 1);
}

TEST_CASE("nobody is told of a hang-up that nobody watches any more") {
    connection c;
    int told = 0;
    c.ours->watch_hang_up([](void* n) { ++*static_cast<int*>(n); }, &told);
    c.ours->watch_hang_up(nullptr, nullptr);
    c.theirs->close();
    c.w.until([&] { return c.ours->hung_up(); });
    CHECK(told == 0);
}

TEST_CASE("an idle connection is quiet until something arrives") {
    connection c;
    CHECK(c.ours->quiet());
    CHECK_FALSE(c.ours->may_read());
    c.theirs->send("?");
    c.w.until([&] { return c.ours->may_read(); });
    CHECK_FALSE(c.ours->quiet());
    connection d;
    CHECK(d.ours->quiet());
    d.theirs->close();
    d.w.until([&] { return d.ours->hung_up(); });
    CHECK_FALSE(d.ours->quiet());
}

TEST_CASE("a reset on close is no FIN, even where one was asked for") {
    connection c;
    c.ours->reset_on_close();
    c.ours->shutdown_write();
    c.w.settle();
    CHECK_FALSE(c.theirs->ended());
    c.ours.reset();
    c.w.until([&] { return c.theirs->was_reset(); });
    CHECK_FALSE(c.theirs->ended());
}

TEST_CASE("TLS carries both directions, more than a record at a time") {
    tls_connection t;
    const auto [n, f] = t.shake();
    REQUIRE(n);
    REQUIRE(f);
    const std::string large(300'000, 'q');
    auto writing = start(t.w.io, write_text(*t.near, large));
    auto reading = start(t.w.io, read_text(*t.far, large.size()));
    auto back = start(t.w.io, write_text(*t.far, "thanks"));
    auto heard = start(t.w.io, read_text(*t.near, 6));
    t.w.until([&] { return writing->done && reading->done && back->done && heard->done; });
    CHECK((*reading->value == large));
    CHECK(*heard->value == "thanks");
}

TEST_CASE("what TLS has read ahead is not forgotten") {
    tls_connection t;
    const auto [n, f] = t.shake();
    REQUIRE((n && f));
    // Three records that arrive together; each read takes one.
    for (const char* text : {"one", "two", "three"}) run(t.w.io, write_text(*t.near, text));
    t.w.settle();
    std::array<char, 64> bytes;
    std::string all;
    for (int reads = 0; t.far->may_read() && reads < 100; ++reads) {
        const io_result r = t.far->read_some(bytes);
        if (r.status == io_status::ok) all.append(bytes.data(), r.bytes);
        if (all.size() < 11) CHECK(t.far->may_read());
    }
    CHECK(all == "onetwothree");
}

TEST_CASE("session tickets are no data to an idle connection") {
    tls_connection t;
    const auto [n, f] = t.shake();
    REQUIRE((n && f));
    t.w.settle();  // the server's tickets arrive behind the handshake
    CHECK(t.near->quiet());
    CHECK(run(t.w.io, write_text(*t.far, "x")) == io_status::ok);
    t.w.until([&] { return t.near->may_read(); });
    CHECK_FALSE(t.near->quiet());
}

TEST_CASE("the end of TLS is close_notify; a bare FIN is a break") {
    for (const bool polite : {true, false}) {
        tls_connection t;
        const auto [n, f] = t.shake();
        REQUIRE((n && f));
        if (polite) {
            t.far->shutdown_write();
        } else {
            ::shutdown(t.far->fd(), SHUT_WR);
        }
        t.w.until([&] { return t.near->hung_up(); });
        CHECK(read_once(*t.near) == (polite ? io_status::eof : io_status::failed));
    }
}

TEST_CASE("a handshake that fails says why and with whom") {
    tls_connection t("DNS:other.test");
    const auto [n, f] = t.shake();
    REQUIRE_FALSE(n);
    CHECK(n.error().kind == error_kind::upstream_tls);
    CHECK(n.error().message.find("api.test") != std::string::npos);
    CHECK(n.error().message.find("certificate") != std::string::npos);
}

TEST_CASE("a handshake with somebody who says nothing ends at its deadline") {
    tls_connection t;
    auto silent = start(t.w.io, t.far->handshake(t.server->new_session(), "the client", 40ms));
    t.w.until([&] { return silent->done; });
    REQUIRE_FALSE(*silent->value);
    CHECK(silent->value->error().kind == error_kind::upstream_tls_timeout);
}
