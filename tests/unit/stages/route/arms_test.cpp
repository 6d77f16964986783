// Arms, the life of models and shadows, as the route stage serves them.
#include "http/message_writer.hpp"
#include "stages/route/route_stage.hpp"

#include "unit/routing/support.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace sluice;

namespace {

// Answers every request with one JSON text, and keeps what it was sent.
struct fake_pool final : upstream_pool {
    std::vector<std::string> sent;  // head and body of each
    std::string answer = R"({"usage":{"prompt_tokens":3,"completion_tokens":4}})";
    int status = 200;
    std::optional<error> failure;

    struct connection final : upstream_connection {
        explicit connection(fake_pool& p) : pool(p) { head.status = p.status; }
        awaitable<result<void>> send(const outgoing_request& request, std::span<std::string_view> pieces, bool,
                                     std::chrono::milliseconds) override {
            std::string all;
            http::write_request_head(all, request.method, request.target, request.host, request.headers, request.body,
                                     request.length);
            for (const std::string_view p : pieces) all += p;
            pool.sent.push_back(std::move(all));
            co_return result<void>{};
        }
        awaitable<result<void>> send_body(std::string_view, bool, std::chrono::milliseconds) override {
            co_return result<void>{};
        }
        awaitable<result<response_head*>> receive_head(std::string_view, std::chrono::milliseconds) override {
            if (pool.failure) co_return *pool.failure;
            co_return &head;
        }
        awaitable<result<body_piece>> receive(std::chrono::milliseconds) override {
            co_return body_piece{pool.answer, true};
        }
        bool buffered() override { return false; }
        bool answered() override { return false; }
        bool reused() const override { return false; }
        bool got_bytes() const override { return true; }
        fake_pool& pool;
        response_head head;
    };
    awaitable<result<std::unique_ptr<upstream_connection>>> open(const upstream_endpoint&, reuse) override {
        std::unique_ptr<upstream_connection> c = std::make_unique<connection>(*this);
        co_return std::move(c);
    }
};

constexpr const char* models = R"(providers:
  - {name: a, base_url: "http://127.0.0.1:1/v1", credentials: [{api_key: key-a}]}
  - {name: b, base_url: "http://127.0.0.1:2/v1", credentials: [{api_key: key-b}]}
models:
  - name: m
    sticky: body
    sticky_by: metadata.user
    expose_arm: true
    targets: [{provider: a, model: up, arm: one}, {provider: b, model: up, arm: two}]
  - {name: failing, attempts: 2, targets: [{provider: a, arm: first}, {provider: b, arm: second, priority: 1}]}
  - {name: half, targets: [{provider: a, arm: named}, {provider: b, priority: 1}], expose_arm: true}
  - {name: old, sticky: session, state: draining, successor: plain, sunset: 2027-01-31, targets: [{provider: a}]}
  - {name: plain, targets: [{provider: b, model: plain-there}]}
  - {name: gone, state: retired}
  - {name: hidden, state: draft, preview: [qa], targets: [{provider: a}]}
  - {name: shaded, targets: [{provider: a, model: real}], shadow: {target: {provider: b, model: copy, body: {seed: 1}}, share: 1, budget: {requests_per_minute: 2}}}
)";

struct world {
    boost::asio::io_context io{1};
    test::fake_services s{io};
    fake_pool pool;
    route::route_stage stage{{}, routing::testing::table_of(models), {}, s, &pool};
    std::int64_t value(const std::string& name) const { return s.counts.value(name); }
    arm_result arm(const std::string& model, const std::string& name) {
        for (const arm_result& r : arm_board::of(s)->results(model)) {
            if (r.arm == name) return r;
        }
        FAIL("no such arm");
        return {};
    }
};

struct call : test::exchange_fixture {
    explicit call(const std::string& json) {
        body.text = json;
        head.body = framing::length;
        head.content_length = json.size();
        next().first = [this](exchange& e) {
            const auto text = e.outgoing_body ? *e.outgoing_body : e.edits().apply(e.collected_body());
            providers += e.target->endpoint->provider;
            bodies.push_back(text);
            next().failure.reset();
            if (providers.size() <= failures) next().failure = error{error_kind::upstream_connect, "refused"};
            if (!next().failure) {
                e.upstream_status = 200;
                e.usage.input = 10;
                e.usage.output = 2;
            }
        };
    }
    call& through(world& w) {
        test::run(w.io, serve(w.stage));
        return *this;
    }
    std::size_t failures = 0;  // attempts that fail
    std::string providers;     // one letter for each attempt
    std::vector<std::string> bodies;
};

}  // namespace

TEST_CASE("a user that the body names stays with an arm, and the answer says which") {
    world w;
    std::set<std::string> arms;
    for (int user = 0; user < 24; ++user) {
        const std::string json = R"({"model":"m","metadata":{"user":"u)" + std::to_string(user) + R"("}})";
        call one(json), again(json);
        const std::string arm = one.through(w).client.header("x-sluice-arm");
        CHECK(again.through(w).client.header("x-sluice-arm") == arm);
        CHECK(one.providers == (arm == "one" ? "a" : "b"));
        arms.insert(arm);
    }
    CHECK(arms.size() == 2);
    CHECK(w.arm("m", "one").requests + w.arm("m", "two").requests == 48);
    CHECK(w.arm("m", "one").input + w.arm("m", "two").input == 480);
}

TEST_CASE("a request counts at the arm that answered, and the one it left says so") {
    world w;
    call c(R"({"model":"failing"})");
    c.failures = 1;
    CHECK(c.through(w).providers == "ab");
    CHECK(c.client.header("x-sluice-arm").empty());  // not exposed
    CHECK((w.arm("failing", "first").requests == 0 && w.arm("failing", "first").left == 1));
    CHECK((w.arm("failing", "second").requests == 1 && w.arm("failing", "second").left == 0));

    call both(R"({"model":"failing"})");
    both.failures = 2;
    both.through(w);
    const auto upstream = static_cast<std::size_t>(arm_error::upstream);
    CHECK(w.arm("failing", "second").requests == 2);
    CHECK(w.arm("failing", "second").errors[upstream] == 1);
    CHECK(w.arm("failing", "second").duration_p50.has_value());
}

TEST_CASE("a target without an arm counts under none") {
    world w;
    call c(R"({"model":"half"})");
    c.failures = 1;
    CHECK(c.through(w).client.header("x-sluice-arm") == "none");
    CHECK(w.arm("half", "none").requests == 1);
    CHECK(w.arm("half", "named").left == 1);
}

TEST_CASE("an exchange that is aborted counts at its arm as the client's doing") {
    world w;
    call c(R"({"model":"half"})");
    c.next().first = [&](exchange& e) {
        e.abort(abort_reason::client_gone);
        throw std::runtime_error("unwinds");
    };
    CHECK_THROWS(c.through(w));
    CHECK(w.arm("half", "named").errors[static_cast<std::size_t>(arm_error::client)] == 1);
}

TEST_CASE("a session that is new to a draining model gets its successor, and is told") {
    world w;
    call c(R"({"model":"old"})");
    c.head.headers.add("x-session-id", "s1");
    CHECK(c.through(w).providers == "b");
    CHECK(c.bodies.front() == R"({"model":"plain-there"})");
    CHECK(c.client.header("sunset") == "Sun, 31 Jan 2027 00:00:00 GMT");
    CHECK(c.client.header("deprecation") == "@1767225600");  // the day on which we know of it
    CHECK(c.x.model == "old");
    CHECK(c.x.model_entry == "plain");

    // As it was known while the model was active.
    auto board = arm_board::of(w.s);
    board->subjects.of(&w.s)->put(board->hash("old", "s2"), 0);
    call stays(R"({"model":"old"})");
    stays.head.headers.add("x-session-id", "s2");
    CHECK(stays.through(w).providers == "a");
    CHECK(stays.client.header("sunset") == "Sun, 31 Jan 2027 00:00:00 GMT");
}

TEST_CASE("a failure tells of the model's end as an answer does") {
    world w;
    call c(R"({"model":"old"})");
    c.failures = 9;
    c.through(w);
    REQUIRE(c.x.failure());
    CHECK(c.x.failure_headers.find("sunset") == "Sun, 31 Jan 2027 00:00:00 GMT");
}

TEST_CASE("a retired model without a successor is gone, and a draft does not exist for strangers") {
    world w;
    call gone(R"({"model":"gone"})");
    CHECK(gone.through(w).client.got.status == 410);
    CHECK(gone.providers.empty());
    call hidden(R"({"model":"hidden"})"), preview(R"({"model":"hidden"})"), near(R"({"model":"hiddem"})");
    REQUIRE(hidden.through(w).x.failure());
    CHECK(hidden.x.failure()->kind == error_kind::model_not_found);
    REQUIRE(near.through(w).x.failure());
    CHECK(near.x.failure()->message.find("`hidden`") == std::string::npos);
    preview.x.caller.tenant = "qa";
    CHECK(preview.through(w).providers == "a");
}

TEST_CASE("a shadow gets its own copy, and the real request goes out as without it") {
    world w;
    call c(R"({"model":"shaded","stream":true})");
    c.head.headers.add("authorization", "Bearer client");
    c.through(w);
    CHECK(c.providers == "a");
    CHECK(c.bodies.front() == R"({"model":"real","stream":true,"stream_options":{"include_usage":true}})");
    REQUIRE(w.pool.sent.size() == 1);
    const std::string& sent = w.pool.sent.front();
    CHECK(sent.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"));
    CHECK(sent.find("key-b") != std::string::npos);
    CHECK(sent.find("Bearer client") == std::string::npos);
    CHECK(sent.find(R"("model":"copy")") != std::string::npos);
    CHECK(sent.find(R"("seed":1)") != std::string::npos);
    CHECK(w.value("sluice_shadow_requests_total{shaded,ok}") == 1);
    CHECK(w.value("sluice_shadow_tokens_total{shaded,output}") == 4);
    CHECK(w.value("sluice_shadow_agreement_total{shaded,yes}") == 1);
}

TEST_CASE("a shadow's failure is counted and nowhere else to be seen, and its budget holds") {
    world w;
    w.pool.failure = error{error_kind::upstream_reset, "gone"};
    call first(R"({"model":"shaded"})");
    CHECK(first.through(w).client.body == "ok");
    CHECK(w.value("sluice_shadow_requests_total{shaded,failed}") == 1);
    w.pool.failure.reset();
    w.pool.status = 500;
    call second(R"({"model":"shaded"})"), third(R"({"model":"shaded"})");
    CHECK(second.through(w).client.body == "ok");
    CHECK(w.value("sluice_shadow_requests_total{shaded,status}") == 1);
    CHECK(w.value("sluice_shadow_agreement_total{shaded,no}") == 1);
    CHECK(third.through(w).client.body == "ok");
    CHECK(w.pool.sent.size() == 2);
    CHECK(w.value("sluice_shadow_skipped_total{shaded,budget}") == 1);
}
