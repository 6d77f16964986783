#include "stages/route/route_stage.hpp"

#include "unit/routing/support.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace sluice;
using namespace std::chrono_literals;

namespace {

constexpr const char* two_providers = R"(providers:
  - {name: a, base_url: "http://127.0.0.1:1/v1", credentials: [{api_key: one}, {api_key: two}]}
  - {name: b, base_url: "http://127.0.0.1:2/v1", credentials: [{api_key: only}]}
models:
  - {name: m, aliases: [alias], targets: [{provider: a, model: up-a}, {provider: b, model: up-b, priority: 1}]}
  - {name: lone, targets: [{provider: b, model: up-lone, body: {temperature: 0}}], attempts: 2}
  - {name: plain, aliases: [plain-alias], targets: [{provider: b}]}
  - {name: falls, targets: [{provider: b, model: up-b}], fallback: [plain, m], attempts: 5}
  - {name: "gpt-*", targets: [{provider: b, model: "openai/gpt-*"}]}
  - {name: secret-model, targets: [{provider: b}]}
)";

// What one attempt was sent with.
struct sent {
    std::string provider, path, body, authorization;
    bool hides_usage, fell_back;
};

struct gateway {
    explicit gateway(route::route_stage_config c = {}, std::string_view yaml = two_providers)
        : stage(c, routing::testing::table_of(yaml), {}, s) {}
    boost::asio::io_context io{1};
    test::fake_services s{io};
    route::route_stage stage;
};

error upstream_says(int status, std::chrono::milliseconds retry_after = 0ms) {
    error e{error_kind::upstream_status, "The upstream answered with an error."};
    auto f = std::make_shared<upstream_failure>();
    f->status = status;
    e.upstream = std::move(f);
    e.retry_after = retry_after;
    return e;
}

// One request whose attempts fail as the list says and then succeed.
struct call : test::exchange_fixture {
    explicit call(const std::string& json, std::vector<error> failures = {}) : script(std::move(failures)) {
        body.text = json;
        head.body = framing::length;
        head.content_length = json.size();
        head.headers.add("Content-Type", "application/json");
        watch();
    }
    call(const char* method, const std::string& target) {
        head.method = method;
        head.target = target;
        watch();
    }
    void watch() {
        next().first = [this](exchange& e) {
            const upstream_target& t = *e.target;
            const auto authorization = t.headers->find("authorization").value_or("");
            attempts.push_back({t.endpoint->provider, t.path, e.edits().apply(e.collected_body()),
                                std::string(authorization), e.hide_usage_event, e.fell_back});
            next().failure.reset();
            if (attempts.size() <= script.size()) next().failure = script[attempts.size() - 1];
        };
    }
    call& through(gateway& g) {
        test::run(g.io, serve(g.stage));
        return *this;
    }
    std::string providers() const {
        std::string out;
        for (const sent& a : attempts) out += a.provider;
        return out;
    }
    error_kind failed_with() const { return x.failure() ? x.failure()->kind : error_kind::internal; }

    std::vector<error> script;
    std::vector<sent> attempts;
};

const char* const ask_m = R"({"model":"m"})";

std::string message_for(gateway& g, const std::string& model, std::vector<std::string> may) {
    call c(R"({"model":")" + model + "\"}");
    c.x.caller.models = std::move(may);
    c.through(g);
    return c.x.failure() ? describe(*c.x.failure()) : "served";
}

}  // namespace

TEST_CASE("a request goes to its target under the upstream's name of the model") {
    gateway g;
    call c(R"({"model": "m", "messages": []})");
    c.through(g);
    REQUIRE(c.attempts.size() == 1);
    CHECK(c.attempts[0].provider == "a");
    CHECK(c.attempts[0].path == "/chat/completions");
    CHECK(c.attempts[0].body == R"({"model": "up-a", "messages": []})");
    CHECK(c.x.model == "m");
    CHECK(c.x.model_entry == "m");
    CHECK_FALSE(c.x.fell_back);
    CHECK(c.client.body == "ok");
    CHECK(g.s.counts.value("sluice_upstream_attempts_total{a,ok}") == 1);
}

TEST_CASE("no other spelling of a field that decides is taken along") {
    gateway g;
    for (const char* const body : {R"({"model":"m","Model":"other"})", R"({"model":"m","MODEL":"other"})",
                                   R"({"model":"m","mod\u0065l":"other"})", R"({"model":"m","Mod\u0065l":"other"})",
                                   R"({"model":"m","Stream":true})", "{\"model\":\"m\",\"\xc5\xbftream\":true}",
                                   R"({"model":"m","STREAM_options":{}})"}) {
        CAPTURE(body);
        CHECK(call(body).through(g).failed_with() == error_kind::bad_request);
    }
    call other(R"({"model":"m","models":1,"metadata":{"Model":"x"},"s":1,"max_tokens":5})");
    CHECK(other.through(g).attempts.size() == 1);
}

TEST_CASE("a body that needs no change passes byte for byte") {
    gateway g;
    CHECK(call("{\"model\" :\"plain\" }").through(g).attempts.at(0).body == "{\"model\" :\"plain\" }");
    CHECK(call(R"({"model":"plain-alias"})").through(g).attempts.at(0).body == R"({"model":"plain"})");
}

TEST_CASE("what a pattern's star matched is put into the upstream's name") {
    gateway g;
    call c(R"({"model":"gpt-5-mini"})");
    CHECK(c.through(g).attempts.at(0).body == R"({"model":"openai/gpt-5-mini"})");
    CHECK(c.x.model_entry == "gpt-*");
    call quoted(R"({"model":"gpt-\"x"})");
    CHECK(quoted.through(g).attempts.at(0).body == R"({"model":"openai/gpt-\"x"})");
    CHECK(call(R"({"model":"gpt-)" + std::string(300, 'x') + "\"}").through(g).failed_with() ==
          error_kind::model_not_found);
}

TEST_CASE("a target that fails is followed by the next, from the same request") {
    gateway g;
    call c(ask_m, {error{error_kind::upstream_connect}});
    c.through(g);
    CHECK(c.providers() == "ab");
    CHECK(c.attempts.at(1).body == R"({"model":"up-b"})");
    CHECK_FALSE(c.x.failure());
    CHECK(c.x.fell_back);
    CHECK(c.client.body == "ok");
    CHECK(g.s.counts.value("sluice_upstream_attempts_total{a,failed}") == 1);
}

TEST_CASE("what an attempt changed is undone before the next") {
    gateway g({}, R"(providers:
  - {name: a, base_url: "http://127.0.0.1:1"}
models:
  - {name: m, targets: [{provider: a, model: x, body: {temperature: 1, seed: 7}}, {provider: a, priority: 1}]}
)");
    call c(R"({"model":"m","temperature":0})", {upstream_says(500)});
    c.through(g);
    REQUIRE(c.attempts.size() == 2);
    CHECK(c.attempts[0].body == R"({"model":"x","temperature":1,"seed":7})");
    CHECK(c.attempts[1].body == R"({"model":"m","temperature":0})");
}

TEST_CASE("a lone target is tried once more after a pause, up to the attempts of its model") {
    gateway g;
    CHECK(call(R"({"model":"lone"})", {upstream_says(503)}).through(g).providers() == "bb");
    call twice(R"({"model":"lone"})", {upstream_says(503), upstream_says(500)});
    CHECK(twice.through(g).providers() == "bb");
    REQUIRE(twice.x.failure());
    CHECK(status_of(*twice.x.failure()) == 500);
}

TEST_CASE("an upstream that kept us waiting, or must not be reached, is not tried again by itself") {
    gateway g;
    CHECK(call(R"({"model":"lone"})", {error{error_kind::upstream_first_byte_timeout}}).through(g).providers() == "b");
    CHECK(call(R"({"model":"lone"})", {error{error_kind::upstream_forbidden}}).through(g).providers() == "b");
    CHECK(call(ask_m, {error{error_kind::upstream_first_byte_timeout}}).through(g).providers() == "ab");
}

TEST_CASE("errors that another attempt cannot mend are passed on") {
    gateway g;
    for (const auto kind : {error_kind::bad_request, error_kind::upstream_idle_timeout, error_kind::overloaded,
                            error_kind::client_gone}) {
        call c(ask_m, {error{kind}});
        CHECK(c.through(g).providers() == "a");
        CHECK(c.failed_with() == kind);
    }
    // And they say nothing about the upstream's address, but for the stream that stalled.
    CHECK(g.s.counts.value("sluice_upstream_attempts_total{a,failed}") == 1);
}

TEST_CASE("the statuses that are kept back are those another attempt may not give") {
    gateway g;
    call c(ask_m);
    c.through(g);
    REQUIRE(c.x.hold_back != nullptr);
    for (const int status : {401, 403, 408, 409, 429, 500, 502, 503, 504, 529}) CHECK(c.x.hold_back(status));
    for (const int status : {200, 204, 301, 402, 404, 501}) CHECK_FALSE(c.x.hold_back(status));
}

TEST_CASE("statuses that may mean a prompt too long are kept back only where there is another target") {
    gateway g;
    for (const int status : {400, 413, 422}) {
        call several(ask_m), lone(R"({"model":"lone"})");
        several.through(g);
        lone.through(g);
        CHECK(several.x.hold_back(status));
        CHECK_FALSE(lone.x.hold_back(status));
    }
}

TEST_CASE("a reply that began is never tried again") {
    struct committing_host final : exchange::host {
        void cancel(exchange&) override {}
        std::size_t body_bytes_max() const override { return 1 << 20; }
        static void commit(exchange& x) { mark_committed(x); }
    };
    gateway g;
    call c(ask_m, {error{error_kind::upstream_reset}});
    auto watched = c.next().first;
    c.next().first = [&](exchange& x) {
        watched(x);
        committing_host::commit(x);
    };
    CHECK(c.through(g).providers() == "a");
    CHECK(c.failed_with() == error_kind::upstream_reset);
}

TEST_CASE("a limited credential cools down as long as it was told, and another takes the request") {
    gateway g;
    call c(ask_m, {upstream_says(429, 20s)});
    c.through(g);
    CHECK(c.providers() == "aa");
    CHECK(c.attempts.at(0).authorization != c.attempts.at(1).authorization);
    const std::string limited = c.attempts.at(0).authorization;
    for (int i = 0; i < 6; ++i) CHECK(call(ask_m).through(g).attempts.at(0).authorization != limited);
    g.s.clock.advance(20s);
    std::set<std::string> used;
    for (int i = 0; i < 4; ++i) used.insert(call(ask_m).through(g).attempts.at(0).authorization);
    CHECK(used.size() == 2);
    CHECK(g.s.counts.value("sluice_credential_cooldowns_total{a}") == 1);
    CHECK(g.s.counts.value("sluice_endpoint_ejections_total{a}") <= 0);
}

TEST_CASE("when every credential is limited the client is told for how long, at once") {
    gateway g;
    call c(R"({"model":"lone"})", {upstream_says(429, 30s)});
    CHECK(c.through(g).providers() == "b");
    REQUIRE(c.x.failure());
    CHECK(status_of(*c.x.failure()) == 429);
    CHECK(c.x.failure()->retry_after == 30s);
    g.s.clock.advance(10s);
    call later(R"({"model":"lone"})");
    CHECK(later.through(g).attempts.empty());
    CHECK(later.failed_with() == error_kind::rate_limited);
    CHECK(later.x.failure()->retry_after == 20s);
    g.s.clock.advance(20s);
    CHECK(call(R"({"model":"lone"})").through(g).providers() == "b");
}

TEST_CASE("a 429 that does not say how long counts for ten seconds") {
    gateway g;
    call(R"({"model":"lone"})", {upstream_says(429)}).through(g);
    call c(R"({"model":"lone"})");
    c.through(g);
    REQUIRE(c.x.failure());
    CHECK(c.x.failure()->retry_after == 10s);
}

TEST_CASE("a refused credential rests if there is another, and a lone one is tried on") {
    gateway g;
    call c(ask_m, {upstream_says(401)});
    CHECK(c.through(g).providers() == "aa");
    const std::string refused = c.attempts.at(0).authorization;
    for (int i = 0; i < 4; ++i) CHECK(call(ask_m).through(g).attempts.at(0).authorization != refused);
    // The last one that is left stays in use whatever the upstream says of it.
    CHECK(call(ask_m, {upstream_says(401)}).through(g).providers() == "ab");
    CHECK(call(ask_m).through(g).providers() == "a");

    call lone(R"({"model":"lone"})", {upstream_says(401)});
    CHECK(lone.through(g).providers() == "b");
    CHECK(status_of(*lone.x.failure()) == 401);
    CHECK(call(R"({"model":"lone"})").through(g).providers() == "b");
}

TEST_CASE("a 403 passes to the next credential but takes none from others") {
    gateway g;
    for (int i = 0; i < 10; ++i) {
        call c(ask_m, {upstream_says(403), upstream_says(403)});
        REQUIRE(c.through(g).providers() == "aab");
    }
    CHECK(g.s.counts.value("sluice_credential_cooldowns_total{a}") <= 0);
    CHECK(call(ask_m).through(g).providers() == "a");
}

TEST_CASE("an address that fails five times is left out for 30 s; a client's conflicts do not count") {
    gateway g;
    for (int i = 0; i < 10; ++i) call(ask_m, {upstream_says(409)}).through(g);
    CHECK(call(ask_m).through(g).providers() == "a");
    for (int i = 0; i < 5; ++i) CHECK(call(ask_m, {upstream_says(500)}).through(g).providers() == "ab");
    CHECK(g.s.counts.value("sluice_endpoint_ejections_total{a}") == 1);
    CHECK(call(ask_m).through(g).providers() == "b");
    g.s.clock.advance(30s);
    CHECK(call(ask_m).through(g).providers() == "a");
}

TEST_CASE("a body that streamed past is not sent again") {
    gateway g(route::route_stage_config{"", "a", "/v1"});
    call c("POST", "/v1/files");
    c.head.body = framing::length;
    c.head.content_length = 10;
    c.head.headers.add("Content-Type", "multipart/form-data; boundary=x");
    c.script = {error{error_kind::upstream_reset}};
    CHECK(c.through(g).providers() == "a");
    CHECK_FALSE(c.x.collected());
    CHECK(c.failed_with() == error_kind::upstream_reset);
}

TEST_CASE("fallback models are used if the key may use them, and the exchange says so") {
    gateway g;
    const std::string ask = R"({"model":"falls"})";
    call c(ask, {upstream_says(500)});
    c.through(g);
    CHECK(c.providers() == "bb");
    CHECK(c.attempts.at(1).body == R"({"model":"plain"})");
    CHECK(c.attempts.at(1).fell_back);
    CHECK_FALSE(c.attempts.at(0).fell_back);
    CHECK(c.x.fell_back);
    CHECK(c.x.model == "falls");
    call limited(ask, {upstream_says(500)});
    limited.x.caller.models = {"falls", "m"};
    CHECK(limited.through(g).providers() == "ba");
    call alone(ask, {upstream_says(503)});
    alone.x.caller.models = {"falls"};
    alone.through(g);
    CHECK(alone.attempts.at(1).body == R"({"model":"up-b"})");  // the same once more
    CHECK_FALSE(alone.x.fell_back);
}

TEST_CASE("a first attempt at a fallback counts as falling back") {
    gateway g;
    call(R"({"model":"lone"})", {upstream_says(429, 30s)}).through(g);  // b has no credential left
    call c(R"({"model":"falls"})");
    c.through(g);
    CHECK(c.providers() == "a");
    CHECK(c.x.fell_back);
}

TEST_CASE("retries stop when the budget of their provider is used up, and calls earn new ones") {
    gateway g;
    const auto table = routing::testing::table_of(two_providers);
    routing::provider_runtime b(*table->providers()[1], g.s);  // the state is shared
    while (b.state().retries.take()) {
    }
    const std::string ask = R"({"model":"lone"})";
    for (int i = 0; i < 4; ++i) CHECK(call(ask, {upstream_says(503)}).through(g).providers() == "b");
    CHECK(call(ask, {upstream_says(503)}).through(g).providers() == "bb");
    CHECK(call(ask, {upstream_says(503)}).through(g).providers() == "b");
}

TEST_CASE("a standby serves every request that its primary fails") {
    gateway g;
    for (int i = 0; i < 50; ++i) {
        REQUIRE(call(ask_m, {upstream_says(500)}).through(g).providers() == "ab");
        REQUIRE(call(ask_m).through(g).providers() == "a");  // keeps the primary from being left out
    }
}

TEST_CASE("an upstream that fails everything sees at most 1.2 times its requests, and ten more") {
    gateway g;
    std::size_t calls = 0;
    for (int i = 0; i < 500; ++i) {
        calls += call(R"({"model":"lone"})", {upstream_says(503), upstream_says(503)}).through(g).attempts.size();
    }
    CHECK(calls <= 500 * 12 / 10 + 10);
    CHECK(calls > 550);
}

TEST_CASE("a stream is asked for its usage, and the client does not see it unless it asked itself") {
    gateway g;
    const auto body_for = [&](const std::string& options, bool& hides) {
        call c(R"({"model":"plain","stream":true)" + options + "}");
        c.through(g);
        REQUIRE(c.attempts.size() == 1);
        hides = c.attempts[0].hides_usage;
        CHECK(c.x.stream);
        return c.attempts[0].body;
    };
    bool hides = false;
    CHECK(body_for("", hides) == R"({"model":"plain","stream":true,"stream_options":{"include_usage":true}})");
    CHECK(hides);
    CHECK(body_for(R"(,"stream_options":null)", hides) ==
          R"({"model":"plain","stream":true,"stream_options":{"include_usage":true}})");
    CHECK(hides);
    CHECK(body_for(R"(,"stream_options":{"a":1})", hides) ==
          R"({"model":"plain","stream":true,"stream_options":{"a":1,"include_usage":true}})");
    CHECK(hides);
    CHECK(body_for(R"(,"stream_options":{"include_usage":false})", hides) ==
          R"({"model":"plain","stream":true,"stream_options":{"include_usage":true}})");
    CHECK(hides);
    for (const char* untouched : {R"(,"stream_options":{"include_usage":true})", R"(,"stream_options":7)",
                                  R"(,"stream_options":{"include_usage":"yes"})"}) {
        CHECK(body_for(untouched, hides) == R"({"model":"plain","stream":true)" + std::string(untouched) + "}");
        CHECK_FALSE(hides);
    }
}

TEST_CASE("what is not a stream of completions is not asked for its usage") {
    gateway g;
    CHECK(call(R"({"model":"plain","stream":false})").through(g).attempts.at(0).body ==
          R"({"model":"plain","stream":false})");
    call c(R"({"model":"plain","stream":true})");
    c.head.target = "/v1/responses";
    CHECK(c.through(g).attempts.at(0).body == R"({"model":"plain","stream":true})");
    CHECK_FALSE(c.attempts.at(0).hides_usage);
}

TEST_CASE("a field that decides something has one spelling and one type") {
    gateway g(route::route_stage_config{"", "a", "/v1"});
    for (const char* bad : {R"({"model":7})", R"({"model":"m","stream":"yes"})", R"({"mod\u0065l":"secret-model"})",
                            R"({"model":"m","mod\u0065l":"secret-model"})", R"({"model":"m","str\u0065am":true})",
                            R"({"model":"m","model":"secret-model"})", "[]", "{"}) {
        CAPTURE(bad);
        call c(bad);
        CHECK(c.through(g).attempts.empty());
        CHECK(c.failed_with() == error_kind::bad_request);
    }
    CHECK(call(R"({"model":"m","\u0078":1})").through(g).attempts.size() == 1);
}

TEST_CASE("an unknown model and a forbidden one get the same words, naming only what the key may use") {
    gateway g;
    const std::string forbidden = message_for(g, "secret-model", {"plain", "m"});
    CHECK(forbidden == "model_not_found: The model `secret-model` does not exist or you do not have access to it.");
    gateway without({}, R"(providers: [{name: b, base_url: "http://127.0.0.1:2/v1"}]
models: [{name: m, targets: [{provider: b}]}, {name: plain, targets: [{provider: b}]}]
)");
    CHECK(message_for(without, "secret-model", {"plain", "m"}) == forbidden);
    CHECK(message_for(g, "secret-modle", {"plain"}).find("secret-model") == std::string::npos);
    CHECK(message_for(g, "secret-modle", {}).find("Did you mean `secret-model`") != std::string::npos);
    CHECK(message_for(g, "plane", {"plain"}).find("Did you mean `plain`") != std::string::npos);
    CHECK(message_for(g, "secret-model", {"secret-*"}) == "served");
}

TEST_CASE("the list of models is what the key may use, aliases included and patterns not") {
    gateway g;
    call all("GET", "/v1/models");
    all.through(g);
    CHECK(all.client.got.status == 200);
    CHECK(all.next().calls == 0);
    for (const char* name : {"\"m\"", "\"alias\"", "\"lone\"", "\"secret-model\""})
        CHECK(all.client.body.find(name) != std::string::npos);
    CHECK(all.client.body.find('*') == std::string::npos);
    call some("GET", "/v1/models?limit=2");
    some.x.caller.models = {"plain"};
    CHECK(some.through(g).client.body ==
          R"({"object":"list","data":[{"id":"plain","object":"model","created":1700000000,"owned_by":"b"}]})");
}

TEST_CASE("one model is described to who may use it") {
    gateway g;
    const auto describe_to = [&](const std::string& target, std::vector<std::string> may) {
        call c("GET", target);
        c.x.caller.models = std::move(may);
        c.through(g);
        CHECK(c.next().calls == 0);
        return c.x.failure() ? describe(*c.x.failure()) : c.client.body;
    };
    CHECK(describe_to("/v1/models/plain", {}) ==
          R"({"id":"plain","object":"model","created":1700000000,"owned_by":"b"})");
    CHECK(describe_to("/v1/models/gpt-a%2Fb", {}) ==
          R"({"id":"gpt-a/b","object":"model","created":1700000000,"owned_by":"b"})");
    CHECK(describe_to("/v1/models/secret-model", {"m"}) ==
          "model_not_found: The model `secret-model` does not exist or you do not have access to it.");
    CHECK(describe_to("/v1/models/a%zz", {}).find("bad_request") == 0);
}

TEST_CASE("requests without a model go to the default provider, or are refused") {
    gateway without;
    CHECK(call(R"({"a":1})").through(without).failed_with() == error_kind::bad_request);
    gateway g(route::route_stage_config{"", "b", "/v1"});
    call c("GET", "/v1/batches?limit=3");
    c.through(g);
    REQUIRE(c.attempts.size() == 1);
    CHECK(c.attempts[0].provider == "b");
    CHECK(c.attempts[0].path == "/batches");
    CHECK(c.attempts[0].authorization == "Bearer only");
    CHECK(c.x.model.empty());
    CHECK_THROWS_AS(gateway(route::route_stage_config{"", "nobody", "/v1"}), std::runtime_error);
}

TEST_CASE("a limited default provider says for how long") {
    gateway g(route::route_stage_config{"", "b", "/v1"});
    call(R"({"model":"lone"})", {upstream_says(429, 30s)}).through(g);
    call c("GET", "/v1/batches");
    CHECK(c.through(g).failed_with() == error_kind::rate_limited);
    CHECK(c.x.failure()->retry_after == 30s);
}

TEST_CASE("a route with a fixed model serves that one whatever the body says") {
    gateway g(route::route_stage_config{"plain", "", "/v1"});
    CHECK(call(R"({"model":"secret-model"})").through(g).attempts.at(0).body == R"({"model":"plain"})");
    CHECK(call(R"({"a":1})").through(g).attempts.at(0).body == R"({"a":1,"model":"plain"})");
}

TEST_CASE("the prefix goes only where a segment ends, and no dots lead out of the provider's URL") {
    const auto path_of = [](const std::string& prefix, const std::string& target) {
        gateway g(route::route_stage_config{"", "b", prefix});
        return call("GET", target).through(g).attempts.at(0).path;
    };
    CHECK(path_of("/v1", "/v1/files") == "/files");
    CHECK(path_of("/v1/", "/v1/files") == "/files");
    CHECK(path_of("", "/v1/files") == "/v1/files");
    CHECK(path_of("/v1", "/v1beta/files") == "/v1beta/files");
    CHECK(path_of("/v1", "/v1/../../../v1/files") == "/files");
    CHECK(path_of("/v1", "/%76%31/%2e%2e/v1/%66iles") == "/files");
    CHECK(path_of("/v1", "/v1/a%2Fb") == "/a%2Fb");
}

TEST_CASE("a realtime connection names its model in the query, and the upstream gets its own name for it") {
    gateway g;
    const auto path_of = [&](const std::string& query) {
        return call("GET", "/v1/realtime?" + query).through(g).attempts.at(0).path;
    };
    CHECK(path_of("model=m") == "/realtime?model=up-a");
    CHECK(path_of("a=1&model=m&b=2") == "/realtime?a=1&b=2&model=up-a");
    CHECK(path_of("model=m&model=secret-model&mod%65l=secret-model") == "/realtime?model=up-a");
    call c("GET", "/v1/realtime?model=secret-model");
    c.x.caller.models = {"m"};
    CHECK(c.through(g).failed_with() == error_kind::model_not_found);
}

namespace {

std::string form(const std::string& model) {
    return "--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n" + model +
           "\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\nRIFF\r\n--x--\r\n";
}

struct upload : call {
    explicit upload(const std::string& text, std::vector<error> failures = {}) : call(text, std::move(failures)) {
        head.target = "/v1/audio/transcriptions";
        head.headers.set("Content-Type", "multipart/form-data; boundary=x");
    }
};

}  // namespace

TEST_CASE("the model of a form is replaced, for each attempt anew") {
    gateway g({}, R"(providers:
  - {name: a, base_url: "http://127.0.0.1:1"}
models:
  - {name: m, targets: [{provider: a, model: longer-name}, {provider: a, priority: 1}, {provider: a, model: third, priority: 2}]}
)");
    upload c(form("m"), {upstream_says(500), upstream_says(500)});
    c.through(g);
    REQUIRE(c.attempts.size() == 3);
    CHECK(c.attempts[0].body == form("longer-name"));
    CHECK(c.attempts[1].body == form("m"));
    CHECK(c.attempts[2].body == form("third"));
}

TEST_CASE("a form cannot name two models, nor hide one") {
    gateway g(route::route_stage_config{"", "a", "/v1"});
    const std::string second = "--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nsecret-model\r\n";
    CHECK(upload(second + form("m")).through(g).failed_with() == error_kind::bad_request);
    CHECK(upload("not a form").through(g).failed_with() == error_kind::bad_request);
    upload elsewhere(form("secret-model"));
    elsewhere.head.target = "/v1/videos";
    elsewhere.x.caller.models = {"m"};
    CHECK(elsewhere.through(g).failed_with() == error_kind::model_not_found);
}

TEST_CASE("a session stays with its target, a key with its own") {
    const auto yaml = [](const std::string& how) {
        return R"(providers: [{name: a, base_url: "http://127.0.0.1:1"}, {name: b, base_url: "http://127.0.0.1:2"}]
models: [{name: m, sticky: )" +
               how + R"(, targets: [{provider: a}, {provider: b}]}]
)";
    };
    gateway sessions({}, yaml("session")), keys({}, yaml("key"));
    std::set<std::string> seen_sessions, seen_keys;
    for (int i = 0; i < 20; ++i) {
        const std::string name = "s" + std::to_string(i);
        std::set<std::string> one_session, one_key;
        for (int n = 0; n < 4; ++n) {
            call s(ask_m);
            s.head.headers.add("X-Session-Id", name);
            one_session.insert(s.through(sessions).providers());
            call k(ask_m);
            k.x.caller.key_id = name;
            one_key.insert(k.through(keys).providers());
        }
        CHECK(one_session.size() == 1);
        CHECK(one_key.size() == 1);
        seen_sessions.merge(one_session);
        seen_keys.merge(one_key);
    }
    CHECK(seen_sessions.size() == 2);
    CHECK(seen_keys.size() == 2);
}
