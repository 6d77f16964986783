#include "stages/quota/quota_stage.hpp"

#include "stages/quota/limit_headers.hpp"

#include "support/exchange_fixture.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::quota;
using namespace std::chrono_literals;

namespace {

struct fixture {
    boost::asio::io_context io{1};
    test::fake_services s{io};
    quota_config config;
    std::unique_ptr<quota_stage> stage;

    void serve(test::exchange_fixture& f) {
        if (!stage) stage = std::make_unique<quota_stage>(config, "chat", s);
        test::run(io, f.serve(*stage));
    }
    // One request of that key; was it admitted?
    bool admitted(const std::string& key, const std::string& tenant = {}) {
        test::exchange_fixture f;
        f.x.caller.key_id = key;
        f.x.caller.tenant = tenant;
        serve(f);
        return !f.x.failure();
    }
    std::int64_t count(const std::string& rule, const char* result) {
        return s.counts.value("sluice_quota_total{chat," + rule + "," + result + "}");
    }
};

// A chat request; what it answers is up to the test.
struct chat : test::exchange_fixture {
    explicit chat(std::string json, const std::string& key = "a") {
        body.text = std::move(json);
        head.body = framing::length;
        head.headers.add("Content-Type", "application/json");
        x.caller.key_id = key;
    }
    void reports(std::int64_t input, std::int64_t output) {
        next().last = [=](exchange& x) {
            x.usage.input = input;
            x.usage.output = output;
        };
    }
};

std::int64_t tokens_left(fixture& f, const std::string& key = "a") {
    chat probe(R"({"model":"m","max_tokens":0})", key);
    probe.next().pieces.clear();
    f.serve(probe);
    if (probe.x.failure()) return -1;
    return std::stoll(probe.client.header("x-ratelimit-remaining-tokens"));
}

}  // namespace

TEST_CASE("requests are admitted up to the limit and then again as time passes") {
    fixture f;
    f.config.rule.requests_per_minute = 3;
    for (int i = 0; i < 3; ++i) CHECK(f.admitted("a"));
    test::exchange_fixture refused;
    refused.x.caller.key_id = "a";
    f.serve(refused);
    REQUIRE(refused.x.failure());
    CHECK(refused.x.failure()->kind == error_kind::rate_limited);
    CHECK(refused.x.failure()->retry_after == 20s);
    CHECK(refused.x.failure()->message.find("3 requests per minute") != std::string::npos);
    CHECK(refused.next().calls == 0);
    CHECK(f.admitted("b"));
    f.s.clock.advance(20s);
    CHECK(f.admitted("a"));
    CHECK_FALSE(f.admitted("a"));
    CHECK(f.count("key", "allowed") == 5);
    CHECK(f.count("key", "refused") == 2);
}

TEST_CASE("a failure says what is left as well, whoever failed") {
    fixture f;
    f.config.rule.requests_per_minute = 2;
    chat refused_upstream(R"({"model":"m"})");
    refused_upstream.next().last = [](exchange& x) { x.fail(error{error_kind::upstream_connect, "no"}); };
    f.serve(refused_upstream);
    CHECK(refused_upstream.x.failure_headers.find("x-ratelimit-remaining-requests") == "1");
    chat last(R"({"model":"m"})");
    f.serve(last);
    CHECK(last.x.failure_headers.empty());
    chat refused_here(R"({"model":"m"})");
    f.serve(refused_here);
    REQUIRE(refused_here.x.failure());
    CHECK(refused_here.x.failure_headers.find("x-ratelimit-limit-requests") == "2");
    CHECK(refused_here.x.failure_headers.find("x-ratelimit-remaining-requests") == "0");
}

TEST_CASE("a limit of a model is not passed by calling JSON something else") {
    for (const char* const type : {"text/plain", "application/octet-stream", "APPLICATION/JSON",
                                   "application/vnd.x+json", "multipart/form-datax"}) {
        fixture f;
        f.config.rule.subject = "model";
        f.config.rule.requests_per_minute = 1;
        chat plain(R"({"model":"m"})");
        f.serve(plain);
        CHECK_FALSE(plain.x.failure());
        chat disguised(R"({"model":"m"})");
        disguised.head.headers.set("Content-Type", type);
        f.serve(disguised);
        CHECK(disguised.x.failure());
    }
}

TEST_CASE("a body that is no JSON and does not say that it is passes, counted by its length") {
    fixture f;
    f.config.rule.tokens_per_minute = 100'000;
    chat upload("\x89PNG, say");
    upload.head.headers.set("Content-Type", "image/png");
    f.serve(upload);
    CHECK_FALSE(upload.x.failure());
    chat broken("{\"model\":");
    f.serve(broken);
    REQUIRE(broken.x.failure());
    CHECK(broken.x.failure()->kind == error_kind::bad_request);
}

TEST_CASE("the reply says what is left, in the place of what an upstream said about our account") {
    fixture f;
    f.config.rule.requests_per_minute = 60;
    f.config.rule.tokens_per_minute = 6000;
    chat e(R"({"model":"m","max_tokens":90,"x":"1234"})");  // 40 bytes: 10 tokens
    e.next().head.headers.add("X-RateLimit-Remaining-Requests", "999999");
    f.serve(e);
    CHECK(e.client.header("x-ratelimit-limit-requests") == "60");
    CHECK(e.client.header("x-ratelimit-remaining-requests") == "59");
    CHECK(e.client.header("x-ratelimit-reset-requests") == "1s");
    CHECK(e.client.header("x-ratelimit-limit-tokens") == "6000");
    CHECK(e.client.header("x-ratelimit-remaining-tokens") == "5900");
    CHECK(e.client.header("x-ratelimit-reset-tokens") == "1s");
    CHECK(e.client.got.headers.count("x-ratelimit-remaining-requests") == 1);
    CHECK(e.client.body == "ok");
    CHECK(e.client.ends == 1);
}

TEST_CASE("what is left is also said on a failure, whoever renders it") {
    fixture f;
    f.config.rule.requests_per_minute = 2;
    f.config.rule.tokens_per_minute = 6000;
    chat failed(R"({"model":"m","max_tokens":90,"x":"1234"})");
    failed.next().failure = error{error_kind::upstream_connect};
    f.serve(failed);
    CHECK(failed.x.failure_headers.find("x-ratelimit-remaining-requests") == "1");
    CHECK(failed.x.failure_headers.find("x-ratelimit-limit-tokens") == "6000");
    chat good(R"({"model":"m","max_tokens":90})");
    f.serve(good);
    CHECK(good.x.failure_headers.empty());
    chat refused(R"({"model":"m","max_tokens":90})");
    f.serve(refused);
    REQUIRE(refused.x.failure());
    CHECK(refused.x.failure_headers.find("x-ratelimit-limit-requests") == "2");
    CHECK(refused.x.failure_headers.find("x-ratelimit-remaining-requests") == "0");
    CHECK(refused.x.failure_headers.find("x-ratelimit-reset-requests") == "1m0s");
}

TEST_CASE("a session of many responses is charged after each, and asked before the next") {
    fixture f;
    f.config.rule.tokens_per_minute = 600;
    test::exchange_fixture session;
    session.x.caller.key_id = "a";
    std::vector<bool> may_go_on;
    session.next().first = [&](exchange& x) {
        REQUIRE(x.budget != nullptr);
        x.usage.input = x.usage.output = 0;
        for (int response = 0; response < 3; ++response) {
            may_go_on.push_back(!x.budget->next_response());
            x.usage.input += 200;
            x.usage.output += 100;
            x.budget->response_done();
        }
        const auto refused = x.budget->next_response();
        REQUIRE(refused);
        CHECK(refused->kind == error_kind::rate_limited);
        CHECK(refused->retry_after == 30100ms);  // 300 over, and the one that was asked for
    };
    f.serve(session);
    CHECK(may_go_on == std::vector<bool>{true, true, false});
    CHECK(session.x.budget == nullptr);
    f.s.clock.advance(31s);  // all of it was charged once: 900 of 600
    CHECK(tokens_left(f) == 3);
}

TEST_CASE("headers can be switched off") {
    fixture f;
    f.config.rule.requests_per_minute = 60;
    f.config.headers = false;
    test::exchange_fixture e;
    f.serve(e);
    CHECK(e.client.got.headers.empty());
    CHECK(e.client.body == "ok");
}

TEST_CASE("a reservation that was too high comes back, one that was too low is owed") {
    fixture f;
    f.config.rule.tokens_per_minute = 1000;
    chat high(R"({"model":"m","max_tokens":900})");
    high.reports(5, 10);
    f.serve(high);
    CHECK(tokens_left(f) == 1000 - 15 - 7);  // the probe takes 28 bytes: 7 tokens, and gives them back

    chat low(R"({"model":"m","max_tokens":10})", "b");
    low.reports(900, 400);
    f.serve(low);
    CHECK(tokens_left(f, "b") == -1);
    f.s.clock.advance(10s);  // 300 over: back to 0 after 18 s
    CHECK(tokens_left(f, "b") == -1);
    f.s.clock.advance(10s);
    CHECK(tokens_left(f, "b") >= 0);
}

TEST_CASE("a reply whose usage nobody reported costs what was delivered") {
    fixture f;
    f.config.rule.tokens_per_minute = 1000;
    chat e(R"({"model":"m","stream":true})");  // 27 bytes: 7 tokens
    e.next().pieces = {std::string(100, 'x'), std::string(100, 'y')};
    f.config.default_output_tokens = 500;
    f.serve(e);
    CHECK(tokens_left(f) == 1000 - 7 - 50 - 7);
    chat bounded(R"({"model":"m","max_tokens":20})", "b");  // 29 bytes: 8 tokens
    bounded.next().pieces = {std::string(4000, 'x')};
    f.serve(bounded);
    CHECK(tokens_left(f, "b") == 1000 - 8 - 20 - 7);
}

TEST_CASE("an exchange of which nothing was delivered costs no tokens, but counts as a request") {
    fixture f;
    f.config.rule.tokens_per_minute = 1000;
    f.config.rule.requests_per_hour = 3;
    chat failed(R"({"model":"m","max_tokens":500})");
    failed.next().failure = error{error_kind::upstream_connect};
    f.serve(failed);
    CHECK(tokens_left(f) == 1000 - 7);
    chat rejected(R"({"model":"m","max_tokens":500})");
    rejected.next().last = [](exchange& x) { x.status = 400; };
    f.serve(rejected);
    CHECK_FALSE(rejected.x.failure());
    chat fourth(R"({"model":"m","max_tokens":5})");
    f.serve(fourth);
    CHECK(fourth.x.failure()->message.find("3 requests per hour") != std::string::npos);
}

TEST_CASE("a client that hangs up pays for what it got and gets its place back") {
    fixture f;
    f.config.rule.tokens_per_minute = 1000;
    f.config.rule.concurrency = 1;
    chat early(R"({"model":"m","max_tokens":500})");
    early.next().first = [](exchange&) { throw std::runtime_error("aborted"); };
    CHECK_THROWS(f.serve(early));
    CHECK(tokens_left(f) == 1000 - 7);
    chat late(R"({"model":"m","max_tokens":500})");  // 30 bytes: 8 tokens
    late.next().pieces = {std::string(400, 'x')};
    late.next().last = [](exchange&) { throw std::runtime_error("aborted"); };
    CHECK_THROWS(f.serve(late));
    CHECK(tokens_left(f) == 1000 - 8 - 100 - 7);
}

TEST_CASE("a request that can never fit is refused without advice to wait") {
    fixture f;
    f.config.rule.tokens_per_minute = 100;
    chat e(R"({"model":"m","max_tokens":100})");
    f.serve(e);
    REQUIRE(e.x.failure());
    CHECK(e.x.failure()->retry_after == 0ms);
    CHECK(e.x.failure()->message.find("too large") != std::string::npos);
}

TEST_CASE("numbers that clients make up do no harm") {
    fixture f;
    f.config.rule.tokens_per_minute = 1000;
    for (const auto* json :
         {R"({"max_tokens":9223372036854775807,"n":9223372036854775807})", R"({"max_tokens":99999999,"n":128})"}) {
        chat e(json);
        f.serve(e);
        CHECK(e.x.failure()->kind == error_kind::rate_limited);
    }
    for (const auto* json : {R"({"max_tokens":-5})", R"({"max_tokens":"many"})", R"({"n":-1,"max_tokens":1})"}) {
        chat e(json, std::string(json));
        f.config.default_output_tokens = 10;
        f.stage.reset();
        f.serve(e);
        CHECK_FALSE(e.x.failure());
    }
    chat broken("{");
    f.serve(broken);
    CHECK(broken.x.failure()->kind == error_kind::bad_request);
}

TEST_CASE("the output bound is found where each dialect puts it") {
    quota_config c;
    const auto reserved = [&](const char* text) {
        const auto json = json_object::parse(text);
        return estimate_tokens(0, &*json, c).reserved;
    };
    CHECK(reserved(R"({"max_tokens":7})") == 7);
    CHECK(reserved(R"({"max_completion_tokens":7,"max_tokens":9})") == 7);
    CHECK(reserved(R"({"max_output_tokens":7})") == 7);
    CHECK(reserved(R"({"generationConfig":{"maxOutputTokens":7}})") == 7);
    CHECK(reserved(R"({"inferenceConfig":{"maxTokens":7}})") == 7);
    CHECK(reserved(R"({"max_tokens":7,"n":3})") == 21);
    CHECK(reserved(R"({})") == 1024);
    c.reserve_tokens = 50;
    CHECK(reserved(R"({"max_tokens":7})") == 50);
}

TEST_CASE("a request that one rule refuses takes nothing from the others") {
    fixture f;
    f.config.rule.name = "wide";
    f.config.rule.requests_per_hour = 10;
    rule_config narrow;
    narrow.name = "narrow";
    narrow.subject = "tenant";
    narrow.requests_per_second = 2;
    f.config.rules.push_back(narrow);
    for (int i = 0; i < 2; ++i) CHECK(f.admitted("a", "t"));
    for (int i = 0; i < 20; ++i) CHECK_FALSE(f.admitted("a", "t"));
    int more = 0;
    for (int i = 0; i < 20; ++i) {
        f.s.clock.advance(500ms);
        more += f.admitted("a", "t") ? 1 : 0;
    }
    CHECK(more == 8);
    CHECK(f.count("narrow", "refused") == 20);
    CHECK(f.count("wide", "refused") == 12);
}

TEST_CASE("no more run at the same time than there are places") {
    fixture f;
    f.config.rule.concurrency = 2;
    f.stage = std::make_unique<quota_stage>(f.config, "chat", f.s);
    test::exchange_fixture outer, inner, third;
    for (auto* e : {&outer, &inner, &third}) e->x.caller.key_id = "a";
    // One exchange inside the other inside the other.
    inner.next().first = [&](exchange&) {
        boost::asio::io_context io{1};
        test::run(io, third.serve(*f.stage));
    };
    outer.next().first = [&](exchange&) {
        boost::asio::io_context io{1};
        test::run(io, inner.serve(*f.stage));
    };
    f.serve(outer);
    CHECK_FALSE(outer.x.failure());
    CHECK_FALSE(inner.x.failure());
    REQUIRE(third.x.failure());
    CHECK(third.x.failure()->retry_after == 1s);
    CHECK(f.admitted("a"));
}

TEST_CASE("callers are told apart by what the rule says") {
    const auto shares = [](const char* per, auto first, auto second) {
        fixture f;
        f.config.rule.subject = per;
        f.config.rule.requests_per_day = 1;
        f.stage = std::make_unique<quota_stage>(f.config, "chat", f.s);
        test::exchange_fixture a("chat", "192.0.2.1:1000"), b("chat", "192.0.2.1:2000");
        first(a);
        second(b);
        f.serve(a);
        f.serve(b);
        CHECK_FALSE(a.x.failure());
        return b.x.failure().has_value();
    };
    const auto nothing = [](test::exchange_fixture&) {};
    const auto key = [](const char* id) { return [id](test::exchange_fixture& f) { f.x.caller.key_id = id; }; };
    const auto tenant = [](const char* id, const char* of) {
        return [=](test::exchange_fixture& f) {
            f.x.caller.key_id = id;
            f.x.caller.tenant = of;
        };
    };
    const auto header = [](const char* v) {
        return [v](test::exchange_fixture& f) { f.head.headers.add("X-User", v); };
    };
    const auto model = [](const char* json) {
        return [json](test::exchange_fixture& f) {
            f.body.text = json;
            f.head.body = framing::length;
        };
    };
    CHECK(shares("key", key("a"), key("a")));
    CHECK_FALSE(shares("key", key("a"), key("b")));
    CHECK(shares("key", nothing, nothing));  // anonymous: by address
    CHECK_FALSE(shares("key", nothing, key("192.0.2.1")));
    CHECK(shares("tenant", tenant("a", "t"), tenant("b", "t")));
    CHECK_FALSE(shares("tenant", tenant("a", ""), tenant("b", "")));
    CHECK(shares("route", key("a"), key("b")));
    CHECK(shares("ip", key("a"), key("b")));
    CHECK(shares("header:x-user", header("1"), header("1")));
    CHECK_FALSE(shares("header:x-user", header("1"), header("2")));
    CHECK(shares("model", model(R"({"model":"m"})"), model(R"({"model":"m","a":1})")));
    CHECK_FALSE(shares("model", model(R"({"model":"m"})"), model(R"({"model":"n"})")));
}

TEST_CASE("one IPv6 host cannot pass as many") {
    const auto refused = [](const char* first, const char* second) {
        fixture f;
        f.config.rule.subject = "ip";
        f.config.rule.requests_per_day = 1;
        test::exchange_fixture a("chat", first), b("chat", second);
        f.serve(a);
        f.serve(b);
        return b.x.failure().has_value();
    };
    CHECK(refused("[2001:db8:1:2::1]:1000", "[2001:db8:1:2:ffff::9]:1000"));
    CHECK_FALSE(refused("[2001:db8:1:2::1]:1000", "[2001:db8:1:3::1]:1000"));
    CHECK(refused("192.0.2.1:1000", "::ffff:192.0.2.1"));
    CHECK_FALSE(refused("192.0.2.1", "192.0.2.2"));
}

TEST_CASE("workers and reloads share what was counted") {
    fixture f;
    f.config.rule.requests_per_day = 4;
    quota_stage one(f.config, "chat", f.s), two(f.config, "chat", f.s), other(f.config, "chat", f.s, 1);
    const auto admitted = [&](quota_stage& stage) {
        test::exchange_fixture e;
        e.x.caller.key_id = "a";
        test::run(f.io, e.serve(stage));
        return !e.x.failure();
    };
    CHECK(admitted(one));
    CHECK(admitted(two));
    CHECK(admitted(other));
    f.config.rule.requests_per_day = 8;  // twice as much: what was used weighs half
    quota_stage reloaded(f.config, "chat", f.s);
    int more = 0;
    for (int i = 0; i < 20; ++i) more += admitted(reloaded) ? 1 : 0;
    CHECK(more == 4);
}

TEST_CASE("strangers who use up the room do not shut others out, unless that is wanted") {
    for (const when_full full : {when_full::allow, when_full::refuse}) {
        fixture f;
        f.config.rule.requests_per_day = 1;
        f.config.rule.subjects = 1;
        f.config.on_full = full;
        for (int i = 0; i < 64; ++i) CHECK(f.admitted("k" + std::to_string(i)));
        CHECK(f.admitted("new") == (full == when_full::allow));
        CHECK_FALSE(f.admitted("k0"));
        CHECK(f.count("key", "table_full") == 1);
    }
}

TEST_CASE("durations are written as clients of OpenAI read them") {
    std::array<char, 40> buffer{};
    CHECK(write_duration(buffer, 0ns) == "0s");
    CHECK(write_duration(buffer, 1ns) == "1ms");
    CHECK(write_duration(buffer, 120ms) == "120ms");
    CHECK(write_duration(buffer, 1s) == "1s");
    CHECK(write_duration(buffer, 1500ms) == "1.5s");
    CHECK(write_duration(buffer, 7660ms) == "7.66s");
    CHECK(write_duration(buffer, 1005ms) == "1.005s");
    CHECK(write_duration(buffer, 6min) == "6m0s");
    CHECK(write_duration(buffer, 24h - 1s) == "23h59m59s");
    CHECK(write_duration(buffer, 1h) == "1h0m0s");
    CHECK(write_duration(buffer, -5s) == "0s");
}
