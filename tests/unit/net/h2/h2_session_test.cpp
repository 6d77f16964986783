#include "net/h2/h2_session.hpp"

#include <nghttp2/nghttp2.h>
#include <catch2/catch.hpp>

#include <map>
#include <string>
#include <vector>

using namespace sluice;
using namespace sluice::net;

namespace {

// What a session told.
struct recorder final : h2_events {
    void on_headers(std::int32_t stream, int status, const header_list& fields, bool last) override {
        std::string line = std::to_string(stream) + " headers " + std::to_string(status);
        for (const auto f : fields) line += " " + std::string(f.name) + "=" + std::string(f.value);
        log.push_back(line + (last ? " last" : ""));
    }
    void on_data(std::int32_t stream, std::string_view bytes) override { data[stream] += bytes; }
    void on_end(std::int32_t stream) override { log.push_back(std::to_string(stream) + " end"); }
    void on_closed(std::int32_t stream, std::uint32_t code) override {
        log.push_back(std::to_string(stream) + " closed " + std::to_string(code));
    }
    void on_sent(std::int32_t) override { ++sent; }
    std::vector<std::string> log;
    std::map<std::int32_t, std::string> data;
    int sent = 0;
};

// The other side: nghttp2's own server, which answers what it is told.
struct server {
    server() {
        nghttp2_session_callbacks* c = nullptr;
        nghttp2_session_callbacks_new(&c);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
            c, [](nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* d, std::size_t n, void* me) {
                static_cast<server*>(me)->got[id].append(reinterpret_cast<const char*>(d), n);
                return 0;
            });
        nghttp2_session_server_new(&session, c, this);
        nghttp2_session_callbacks_del(c);
        nghttp2_submit_settings(session, 0, nullptr, 0);
    }
    ~server() { nghttp2_session_del(session); }
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    static nghttp2_nv nv(const char* name, const char* value) {
        const auto bytes = [](const char* s) { return reinterpret_cast<std::uint8_t*>(const_cast<char*>(s)); };
        return {bytes(name), bytes(value), std::char_traits<char>::length(name), std::char_traits<char>::length(value),
                0};
    }
    void headers(std::int32_t id, bool last) {
        const nghttp2_nv all[] = {nv(":status", "200"), nv("content-type", "application/grpc")};
        nghttp2_submit_headers(session, last ? NGHTTP2_FLAG_END_STREAM : 0, id, nullptr, all, 2, nullptr);
    }
    void body(std::int32_t id, std::string text) {
        answers[id] = std::move(text);
        nghttp2_data_provider p{};
        p.source.ptr = this;
        p.read_callback = [](nghttp2_session*, std::int32_t stream, std::uint8_t* into, std::size_t room,
                             std::uint32_t* flags, nghttp2_data_source* source, void*) -> ssize_t {
            std::string& left = static_cast<server*>(source->ptr)->answers[stream];
            const std::size_t n = std::min(room, left.size());
            std::copy_n(left.data(), n, into);
            left.erase(0, n);
            if (left.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
            return static_cast<ssize_t>(n);
        };
        nghttp2_submit_data(session, 0, id, &p);
    }
    void trailers(std::int32_t id) {
        const nghttp2_nv all[] = {nv("grpc-status", "0")};
        nghttp2_submit_trailer(session, id, all, 1);
    }
    std::string output() {
        std::string out;
        const std::uint8_t* bytes = nullptr;
        for (ssize_t n = 0; (n = nghttp2_session_mem_send(session, &bytes)) > 0;)
            out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(n));
        return out;
    }
    nghttp2_session* session = nullptr;
    std::map<std::int32_t, std::string> got, answers;
};

std::string all_output(h2_session& s) {
    std::string out;
    for (;;) {
        const std::string_view bytes = s.output();
        if (bytes.empty()) return out;
        out += bytes;
        s.taken(bytes.size());
    }
}

struct pair_of_peers {
    recorder seen;
    h2_session client{seen};
    server peer;
    bool exchange(std::size_t cut = 1 << 20) {
        for (;;) {
            const std::string up = all_output(client);
            nghttp2_session_mem_recv(peer.session, reinterpret_cast<const std::uint8_t*>(up.data()), up.size());
            const std::string down = peer.output();
            for (std::size_t i = 0; i < down.size(); i += cut)
                if (!client.receive(std::string_view(down).substr(i, cut))) return false;
            if (up.empty() && down.empty()) return true;
        }
    }
};

}  // namespace

TEST_CASE("a call goes out, comes back in pieces of any size, and ends with its trailers") {
    for (const std::size_t cut : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{1} << 20}) {
        pair_of_peers p;
        const auto id = p.client.open("POST", "http", "picker", "/a/b", {});
        REQUIRE(id > 0);
        p.client.send(id, "hello ", false);
        REQUIRE(p.exchange(cut));
        p.client.send(id, "world", true);
        REQUIRE(p.exchange(cut));
        CHECK(p.peer.got[id] == "hello world");
        p.peer.headers(id, false);
        p.peer.body(id, "answer");
        REQUIRE(p.exchange(cut));
        CHECK(p.seen.data[id] == "answer");
        p.peer.trailers(id);
        REQUIRE(p.exchange(cut));
        CHECK(p.seen.log == std::vector<std::string>{"1 headers 200 content-type=application/grpc",
                                                     "1 headers 0 grpc-status=0 last", "1 end", "1 closed 0"});
    }
}

TEST_CASE("a reader that consumes nothing holds the peer back, and goes on when it does") {
    pair_of_peers p;
    const auto id = p.client.open("POST", "http", "picker", "/", {});
    p.client.send(id, {}, true);
    p.exchange();
    p.peer.headers(id, false);
    p.peer.body(id, std::string(1'000'000, 'x'));
    REQUIRE(p.exchange());
    const std::size_t window = h2_limits{}.stream_window;
    CHECK(p.seen.data[id].size() == window);
    p.client.consume(id, window);
    REQUIRE(p.exchange());
    CHECK(p.seen.data[id].size() > window);
}

TEST_CASE("what the peer does not take stays queued") {
    pair_of_peers p;
    const auto id = p.client.open("POST", "http", "picker", "/", {});
    p.client.send(id, std::string(200'000, 'x'), true);
    REQUIRE(p.exchange());
    // nghttp2's server gives windows back as it reads; all has gone.
    CHECK(p.client.queued(id) == 0);
    CHECK(p.peer.got[id].size() == 200'000);
    CHECK(p.seen.sent > 0);
}

TEST_CASE("a stream that we reset is closed, and others go on") {
    pair_of_peers p;
    const auto first = p.client.open("POST", "http", "picker", "/", {});
    const auto second = p.client.open("POST", "http", "picker", "/", {});
    p.exchange();
    p.client.reset(first);
    p.client.send(second, "x", true);
    REQUIRE(p.exchange());
    CHECK(p.seen.log == std::vector<std::string>{"1 closed 8"});
    CHECK(p.peer.got[second] == "x");
}

TEST_CASE("after a GOAWAY no call is made on the connection, and those under way end") {
    pair_of_peers p;
    const auto id = p.client.open("POST", "http", "picker", "/", {});
    p.exchange();
    CHECK(p.client.takes_requests());
    nghttp2_submit_goaway(p.peer.session, 0, id, 0, nullptr, 0);
    REQUIRE(p.exchange());
    CHECK_FALSE(p.client.takes_requests());
    p.peer.headers(id, true);
    p.client.send(id, {}, true);
    p.exchange();
    CHECK(p.seen.log.back() == "1 closed 0");
}

TEST_CASE("headers beyond the limits end their stream, not the connection") {
    pair_of_peers p;
    const auto id = p.client.open("POST", "http", "picker", "/", {});
    p.exchange();
    std::vector<nghttp2_nv> many{server::nv(":status", "200")};
    for (int i = 0; i < 300; ++i) many.push_back(server::nv("x-many", "1"));
    nghttp2_submit_headers(p.peer.session, 0, id, nullptr, many.data(), many.size(), nullptr);
    REQUIRE(p.exchange());
    REQUIRE(p.seen.log.size() == 1);
    CHECK(p.seen.log[0].find("closed") != std::string::npos);
    CHECK(p.client.takes_requests());
}

TEST_CASE("what is no HTTP/2, and floods of frames that mean nothing, end the connection") {
    recorder seen;
    h2_session s(seen);
    s.receive("HTTP/1.1 400 Bad Request\r\n\r\n");
    all_output(s);
    CHECK_FALSE(s.wants_read());
    pair_of_peers p;
    p.exchange();
    bool alive = true;
    for (int i = 0; i < 2000 && alive; ++i) {
        nghttp2_submit_ping(p.peer.session, 0, nullptr);
        alive = p.exchange();
    }
    CHECK_FALSE(alive);
}
