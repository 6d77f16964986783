#include "stages/auth/auth_stage.hpp"

#include "base/base64.hpp"
#include "support/exchange_fixture.hpp"

#include <catch2/catch.hpp>

#include <openssl/evp.h>

using namespace sluice;
using namespace sluice::auth;
using namespace std::chrono_literals;

namespace {

// A shared secret of 32 zero bytes, so that the tests can sign.
std::string jwks_with(std::string_view kid) {
    return R"({"keys":[{"kty":"oct","alg":"HS256","kid":")" + std::string(kid) + R"(","k":")" + std::string(43, 'A') +
           R"("}]})";
}

std::string sign(std::string_view claims, std::string_view kid = "one") {
    const std::string header = R"({"alg":"HS256","kid":")" + std::string(kid) + R"("})";
    const std::string input = base64url_encode(header) + "." + base64url_encode(claims);
    const std::string key(32, '\0');
    unsigned char mac[32];
    std::size_t size = 0;
    EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, key.data(), key.size(),
              reinterpret_cast<const unsigned char*>(input.data()), input.size(), mac, sizeof mac, &size);
    return input + "." + base64url_encode({reinterpret_cast<const char*>(mac), size});
}

// Good until far behind the clock of the fixture.
constexpr std::string_view good_claims =
    R"({"iss":"https://issuer","aud":"gateway","exp":1893456000,"sub":"user-1","org":"acme","models":["gpt-*"]})";

jwt_config issuer_config() {
    jwt_config c;
    c.issuer = "https://issuer";
    c.audiences = {"gateway"};
    c.jwks = jwks_with("one");
    c.algorithms = {"HS256"};
    c.claims.tenant = "org";
    c.claims.models = "models";
    return c;
}

struct fixture {
    boost::asio::io_context io{1};
    test::fake_services s{io};
    auth_config config;
    std::vector<key_config> keys;
    std::unique_ptr<auth_stage> stage;

    fixture() {
        config.api_key.emplace();
        add("team-a", "sk-one");
        add("team-b", "sk-two");
    }
    key_config& add(std::string id, std::string_view key) {
        key_config c;
        c.id = std::move(id);
        c.hash = hash_key(key);
        c.tenant = "tenant of " + c.id;
        keys.push_back(std::move(c));
        return keys.back();
    }
    void serve(test::exchange_fixture& f) {
        if (!stage) {
            auto table = key_table::build({keys, {}});
            REQUIRE(table.has_value());
            stage = std::make_unique<auth_stage>(config, *table, s);
        }
        test::run(io, f.serve(*stage));
    }
    std::int64_t count(const char* result) { return s.counts.value(std::string("sluice_auth_total{") + result + "}"); }
};

std::optional<error_kind> outcome(const test::exchange_fixture& f) {
    return f.x.failure() ? std::optional(f.x.failure()->kind) : std::nullopt;
}

}  // namespace

TEST_CASE("a key is taken from every place where clients put it, and goes no further") {
    const std::pair<const char*, const char*> forms[] = {{"Authorization", "Bearer sk-one"},
                                                         {"authorization", "bearer  sk-one "},
                                                         {"X-Api-Key", "sk-one"},
                                                         {"api-key", "sk-one"},
                                                         {"x-goog-api-key", "sk-one"}};
    fixture f;
    for (const auto& [name, value] : forms) {
        INFO(name);
        test::exchange_fixture e;
        e.head.headers.add(name, value);
        e.head.headers.add("X-Other", "stays");
        f.serve(e);
        CHECK(e.next().calls == 1);
        CHECK(e.x.caller.key_id == "team-a");
        CHECK(e.x.caller.tenant == "tenant of team-a");
        CHECK_FALSE(e.x.caller.anonymous);
        CHECK_FALSE(e.head.headers.contains(name));
        CHECK(e.head.headers.find("x-other") == "stays");
    }
    CHECK(f.count("key") == 5);
}

TEST_CASE("a wrong key, a foreign scheme and an empty header are refused alike") {
    fixture f;
    std::string message;
    for (const auto* value : {"Bearer sk-three", "Bearer sk-on", "Basic c2stb25l", "Bearer", "sk-one", ""}) {
        INFO(value);
        test::exchange_fixture e;
        e.head.headers.add("Authorization", value);
        f.serve(e);
        CHECK(outcome(e) == error_kind::unauthorized);
        CHECK(e.next().calls == 0);
        CHECK(e.x.caller.anonymous);
        if (message.empty()) message = e.x.failure()->message;
        CHECK(e.x.failure()->message == message);
    }
    CHECK(f.count("unknown") == 6);
}

TEST_CASE("a request without credential is refused, or anonymous where that is allowed") {
    fixture f;
    test::exchange_fixture refused;
    f.serve(refused);
    CHECK(outcome(refused) == error_kind::unauthorized);
    CHECK(f.count("missing") == 1);

    fixture open;
    open.config.optional = true;
    test::exchange_fixture passed;
    open.serve(passed);
    CHECK_FALSE(passed.x.failure());
    CHECK(passed.x.caller.anonymous);
    CHECK(passed.next().calls == 1);
    test::exchange_fixture wrong;
    wrong.head.headers.add("x-api-key", "sk-three");
    open.serve(wrong);
    CHECK(outcome(wrong) == error_kind::unauthorized);
}

TEST_CASE("credentials that contradict each other are a bad request, the same one twice is not") {
    fixture f;
    test::exchange_fixture two;
    two.head.headers.add("Authorization", "Bearer sk-one");
    two.head.headers.add("x-api-key", "sk-two");
    f.serve(two);
    CHECK(outcome(two) == error_kind::bad_request);
    test::exchange_fixture lines;
    lines.head.headers.add("Authorization", "Bearer sk-one");
    lines.head.headers.add("Authorization", "Bearer sk-two");
    f.serve(lines);
    CHECK(outcome(lines) == error_kind::bad_request);
    test::exchange_fixture same;
    same.head.headers.add("Authorization", "Bearer sk-one");
    same.head.headers.add("x-api-key", "sk-one");
    f.serve(same);
    CHECK_FALSE(same.x.failure());
    CHECK(same.head.headers.empty());
}

TEST_CASE("disabled and expired keys are refused from their time on") {
    fixture f;
    f.add("off", "sk-off").disabled = true;
    f.add("old", "sk-old").expires = "2026-01-02";
    test::exchange_fixture off;
    off.head.headers.add("x-api-key", "sk-off");
    f.serve(off);
    CHECK(outcome(off) == error_kind::unauthorized);
    test::exchange_fixture before;
    before.head.headers.add("x-api-key", "sk-old");
    f.serve(before);
    CHECK_FALSE(before.x.failure());
    f.s.clock.advance(24h);
    test::exchange_fixture after;
    after.head.headers.add("x-api-key", "sk-old");
    f.serve(after);
    CHECK(outcome(after) == error_kind::unauthorized);
    CHECK(f.count("disabled") == 1);
    CHECK(f.count("expired") == 1);
}

TEST_CASE("a key in the query is taken where configured, and cut out of the target") {
    fixture f;
    f.config.api_key->query = "key";
    for (const auto* target : {"/v1?a=1&key=sk-one&b=2", "/v1?a=1&b=2&k%65y=sk%2Done"}) {
        test::exchange_fixture e;
        e.head.target = target;
        f.serve(e);
        CHECK_FALSE(e.x.failure());
        CHECK(e.head.target == "/v1?a=1&b=2");
    }
    test::exchange_fixture both;
    both.head.target = "/v1?key=sk-one";
    both.head.headers.add("x-api-key", "sk-two");
    f.serve(both);
    CHECK(outcome(both) == error_kind::bad_request);
}

TEST_CASE("headers that are not configured hold no key for us, but are still cut out") {
    fixture f;
    f.config.api_key->headers = {"X-Team-Key"};
    test::exchange_fixture e;
    e.head.headers.add("x-team-key", "sk-one");
    e.head.headers.add("Authorization", "Bearer whatever");
    e.head.headers.add("x-goog-api-key", "other");
    f.serve(e);
    CHECK_FALSE(e.x.failure());
    CHECK(e.head.headers.empty());
}

TEST_CASE("hostile credentials are refused with the same answer, whatever they hold") {
    fixture f;
    const std::string nul("sk-\0one", 7);
    for (const std::string& key : {std::string("' OR 1=1 --"), nul, std::string(64 * 1024, 'a'),
                                   std::string("\xff\xfe"), std::string("eyJ.e.e"), std::string("..")}) {
        test::exchange_fixture e;
        e.head.headers.add("Authorization", "Bearer " + key);
        f.serve(e);
        CHECK(outcome(e) == error_kind::unauthorized);
    }
}

TEST_CASE("a good token says who calls, for which tenant and which models") {
    fixture f;
    f.config.jwt.push_back(issuer_config());
    test::exchange_fixture e;
    e.head.headers.add("Authorization", "Bearer " + sign(good_claims));
    f.serve(e);
    CHECK_FALSE(e.x.failure());
    CHECK(e.x.caller.key_id == "user-1");
    CHECK(e.x.caller.tenant == "acme");
    CHECK(e.x.caller.may_use("gpt-4o"));
    CHECK_FALSE(e.x.caller.may_use("claude"));
    CHECK(e.x.caller.claims.at("exp") == "1893456000");
    CHECK_FALSE(e.head.headers.contains("authorization"));
    CHECK(f.count("token") == 1);
    test::exchange_fixture key;  // keys still work beside
    key.head.headers.add("Authorization", "Bearer sk-two");
    f.serve(key);
    CHECK(key.x.caller.key_id == "team-b");
}

TEST_CASE("a token that lacks a claim the configuration relies on is refused") {
    fixture f;
    f.config.jwt.push_back(issuer_config());
    for (const auto* claims :
         {R"({"iss":"https://issuer","aud":"gateway","exp":1893456000,"sub":"u","org":"acme"})",
          R"({"iss":"https://issuer","aud":"gateway","exp":1893456000,"sub":"u","org":"acme","models":[]})",
          R"({"iss":"https://issuer","aud":"gateway","exp":1893456000,"sub":"u","models":["*"]})",
          R"({"iss":"https://issuer","aud":"gateway","exp":1893456000,"org":"acme","models":["*"]})",
          R"({"iss":"https://issuer","aud":"other","exp":1893456000,"sub":"u","org":"acme","models":["*"]})",
          R"({"iss":"https://issuer","aud":"gateway","exp":1000,"sub":"u","org":"acme","models":["*"]})",
          R"({"iss":"https://other","aud":"gateway","exp":1893456000,"sub":"u","org":"acme","models":["*"]})"}) {
        INFO(claims);
        test::exchange_fixture e;
        e.head.headers.add("Authorization", "Bearer " + sign(claims));
        f.serve(e);
        CHECK(outcome(e) == error_kind::unauthorized);
        CHECK(e.next().calls == 0);
    }
    CHECK(f.count("expired") == 1);
}

TEST_CASE("keys of an issuer are fetched once, and again at most once a minute for unknown ones") {
    fixture f;
    jwt_config c = issuer_config();
    c.jwks.clear();
    c.jwks_url = "https://issuer/keys";
    f.config.jwt.push_back(c);
    f.s.fetches.reply_with(jwks_with("one"));
    const auto answer = [&](const std::string& token) {
        test::exchange_fixture e;
        e.head.headers.add("Authorization", "Bearer " + token);
        f.serve(e);
        return outcome(e);
    };
    CHECK_FALSE(answer(sign(good_claims)));
    CHECK_FALSE(answer(sign(good_claims)));
    CHECK(f.s.fetches.urls.size() == 1);

    f.s.fetches.reply_with(jwks_with("two"));  // the issuer changed its key
    CHECK_FALSE(answer(sign(good_claims, "two")));
    CHECK(f.s.fetches.urls.size() == 2);
    for (int i = 0; i < 20; ++i) CHECK(answer(sign(good_claims, "three")) == error_kind::unauthorized);
    CHECK(f.s.fetches.urls.size() == 2);
    f.s.clock.advance(61s);
    f.s.fetches.reply_with(jwks_with("three"));
    CHECK_FALSE(answer(sign(good_claims, "three")));
    CHECK(f.s.fetches.urls.size() == 3);
}

TEST_CASE("while an issuer cannot be reached its last keys serve, and then nobody passes") {
    fixture f;
    jwt_config c = issuer_config();
    c.jwks.clear();
    c.jwks_url = "https://issuer/keys";
    f.config.jwt.push_back(c);
    const std::string token = sign(good_claims);
    const auto answer = [&] {
        test::exchange_fixture e;
        e.head.headers.add("Authorization", "Bearer " + token);
        f.serve(e);
        return outcome(e);
    };
    CHECK(answer() == error_kind::overloaded);  // never fetched
    f.s.clock.advance(11s);
    f.s.fetches.reply_with(jwks_with("one"));
    CHECK_FALSE(answer());
    f.s.clock.advance(23h);
    f.s.fetches.reply_with("<html>", 503);
    CHECK_FALSE(answer());
    f.s.clock.advance(2h);
    CHECK(answer() == error_kind::overloaded);
    CHECK(f.count("no_keys") == 2);
}
