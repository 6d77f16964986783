#include "pipeline/relay_body.hpp"

#include "support/exchange_fixture.hpp"

#include <catch2/catch.hpp>

#include <deque>

using namespace sluice;
using namespace std::chrono_literals;

namespace {

// An upstream whose answer's body comes in these pieces; behind the last one it breaks, if it shall.
struct scripted_connection final : upstream_connection {
    std::deque<std::string> pieces;
    std::optional<error> breaks;
    std::string current;
    test::manual_clock* time = nullptr;
    int stalls = 0;  // receive() times out so often first

    awaitable<result<void>> send(const outgoing_request&, std::span<std::string_view>, bool,
                                 std::chrono::milliseconds) override {
        co_return result<void>{};
    }
    awaitable<result<void>> send_body(std::string_view, bool, std::chrono::milliseconds) override {
        co_return result<void>{};
    }
    awaitable<result<response_head*>> receive_head(std::string_view, std::chrono::milliseconds) override {
        co_return error{error_kind::internal};
    }
    awaitable<result<body_piece>> receive(std::chrono::milliseconds timeout) override {
        if (stalls > 0) {
            --stalls;
            time->advance(timeout);
            co_return error{error_kind::upstream_idle_timeout};
        }
        if (pieces.empty()) co_return breaks ? *breaks : error{error_kind::internal, "read behind the end"};
        current = std::move(pieces.front());
        pieces.pop_front();
        co_return body_piece{current, pieces.empty() && !breaks};
    }
    bool buffered() override { return false; }
    bool answered() override { return false; }
    bool reused() const override { return false; }
    bool got_bytes() const override { return true; }
};

struct replying {
    boost::asio::io_context io{1};
    test::exchange_fixture f;
    test::manual_clock time;
    scripted_connection upstream;
    upstream_endpoint endpoint;
    relay_config config;
    response_head head;

    explicit replying(std::deque<std::string> pieces, std::string_view type = "text/event-stream") {
        upstream.pieces = std::move(pieces);
        upstream.time = &time;
        f.x.model = "m";
        f.x.target.emplace().endpoint = &endpoint;
        head.headers.add("Content-Type", type);
        head.body = framing::chunked;
    }
    void relay() { test::run(io, relay_reply(f.x, upstream, head, config, time)); }
};

struct recording_observer final : observer {
    std::vector<std::string> data;
    int heads = 0;
    void see_head(const response_head&) override { ++heads; }
    void see(const event& e) override { data.emplace_back(e.data); }
};

const std::string usage_chunk =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":5,\"total_tokens\":8}}\n\n";

}  // namespace

TEST_CASE("an answer passes in the pieces in which it comes, and ends once") {
    replying r({"{\"a\":", "1}"}, "application/json");
    r.relay();
    CHECK(r.f.client.pieces == std::vector<std::string>{"{\"a\":", "1}"});
    CHECK(r.f.client.heads == 1);
    CHECK(r.f.client.ends == 1);
    CHECK_FALSE(r.f.x.failure());
}

TEST_CASE("an answer that breaks off has a failure and no end") {
    for (const auto* type : {"application/json", "text/event-stream"}) {
        CAPTURE(type);
        replying r({"data: 1\n\n"}, type);
        r.upstream.breaks = error{error_kind::upstream_reset, "broke"};
        r.relay();
        REQUIRE(r.f.x.failure());
        CHECK(r.f.x.failure()->kind == error_kind::upstream_reset);
        CHECK(r.f.client.body == "data: 1\n\n");
        CHECK(r.f.client.ends == 0);
    }
}

TEST_CASE("events that came together go out together, one that was cut goes out whole") {
    replying r({"data: 1\n\ndata: 2\n\ndata: 3", "\n\ndata: 4\n\n"});
    r.relay();
    CHECK(r.f.client.pieces == std::vector<std::string>{"data: 1\n\ndata: 2\n\n", "data: 3\n\n", "data: 4\n\n"});
    CHECK(r.f.x.reply_events == 4);
    CHECK(r.f.client.ends == 1);
}

TEST_CASE("whoever asks for events gets each by itself, its data without framing") {
    replying r({"data: 1\n\nevent: e\ndata: 2\n\n"});
    recording_observer o;
    {
        const observer_scope watching(r.f.x, o);
        r.relay();
    }
    CHECK(o.heads == 1);
    CHECK(o.data == std::vector<std::string>{"1", "2"});
    CHECK(r.f.client.pieces == std::vector<std::string>{"data: 1\n\n", "event: e\ndata: 2\n\n"});
}

TEST_CASE("the usage event that we asked for is counted and kept back, one the client asked for passes") {
    for (const bool hidden : {true, false}) {
        CAPTURE(hidden);
        replying r({"data: {\"choices\":[{}]}\n\n" + usage_chunk + "data: [DONE]\n\n"});
        r.f.x.hide_usage_event = hidden;
        r.relay();
        CHECK(r.f.x.usage.input == 3);
        CHECK(r.f.x.usage.output == 5);
        CHECK((r.f.client.body.find("usage") == std::string::npos) == hidden);
        CHECK(r.f.client.body.ends_with("data: [DONE]\n\n"));
    }
}

TEST_CASE("an event above the limit ends the stream with an error, what was whole has passed") {
    replying r({"data: 1\n\n", "data: " + std::string(5000, 'x'), std::string(5000, 'x') + "\n\n"});
    r.config.event_bytes = {1024};
    r.relay();
    REQUIRE(r.f.x.failure());
    CHECK(r.f.x.failure()->kind == error_kind::upstream_event_too_large);
    CHECK(r.f.client.body == "data: 1\n\n");
    CHECK(r.f.client.ends == 0);
}

TEST_CASE("a silent stream gets comments until the upstream's time is over") {
    replying r({"data: 1\n\n"});
    r.config.ping = 10s;
    r.endpoint.timeouts.idle = 25s;
    r.upstream.stalls = 2;
    r.relay();
    CHECK(r.f.client.body == ": ping\n\n: ping\n\ndata: 1\n\n");
    CHECK(r.f.client.ends == 1);

    replying stalled({"data: 1\n\n"});
    stalled.config.ping = 10s;
    stalled.endpoint.timeouts.idle = 25s;
    stalled.upstream.stalls = 3;
    stalled.relay();
    REQUIRE(stalled.f.x.failure());
    CHECK(stalled.f.x.failure()->kind == error_kind::upstream_idle_timeout);
    CHECK(stalled.f.client.ends == 0);
    CHECK(stalled.f.x.upstream_time == 25s);
}

TEST_CASE("an answer that is no stream gets no comments: they would be part of it") {
    replying r({"{}"}, "application/json");
    r.config.ping = 10s;
    r.endpoint.timeouts.idle = 25s;
    r.upstream.stalls = 1;
    r.relay();
    REQUIRE(r.f.x.failure());
    CHECK(r.f.client.body.empty());
}

TEST_CASE("a stream without framing that ends inside an event was cut") {
    replying cut({"data: 1\n\ndata: 2"});
    cut.head.body = framing::until_close;
    cut.relay();
    REQUIRE(cut.f.x.failure());
    CHECK(cut.f.x.failure()->kind == error_kind::upstream_reset);
    CHECK(cut.f.client.body == "data: 1\n\n");

    replying framed({"data: 1\n\ndata: 2"});
    framed.relay();
    CHECK_FALSE(framed.f.x.failure());
    CHECK(framed.f.client.body == "data: 1\n\ndata: 2");
    CHECK(framed.f.client.ends == 1);
}

TEST_CASE("a coded stream is passed unread, without comments") {
    replying r({"\x1f\x8b"});
    r.head.headers.add("Content-Encoding", "gzip");
    r.endpoint.timeouts.idle = 25s;
    r.relay();
    CHECK(r.f.client.body == "\x1f\x8b");
    CHECK(r.f.x.reply_events == 0);
}
