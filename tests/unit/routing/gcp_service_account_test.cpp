#include "routing/gcp_service_account.hpp"

#include "base/base64.hpp"
#include "support/exchange_fixture.hpp"
#include "unit/config/support.hpp"
#include "unit/routing/service_account_key.hpp"
#include "unit/routing/support.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::routing;
using namespace sluice::routing::testing;
using config::testing::temporary_folder;

namespace {

std::string refused(const std::string& json) {
    const auto account = parse_service_account(json);
    return account ? "taken" : account.error().message;
}

std::string without(std::string_view field) {
    std::string json = key_file(account_key().pem());
    json.replace(json.find(field), 1, "_");
    return json;
}

// The payload of the assertion in a form.
std::string claims_in(const std::string& form) {
    const std::string before = "&assertion=";
    const auto at = form.find(before);
    REQUIRE(at != std::string::npos);
    const std::string token = form.substr(at + before.size());
    const auto dot = token.find('.') + 1;
    return base64url_decode(token.substr(dot, token.rfind('.') - dot)).value();
}

std::string problems_with(const std::string& account) {
    return routing_problems(
        "providers: [{name: a, base_url: \"https://a.example.com\", credentials: [{gcp_service_account: " + account +
        "}]}]\n");
}

bool complains(const std::string& problems, std::string_view text) {
    CAPTURE(problems);
    return problems.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("a key file tells who signs, with which key, and where the assertion is exchanged") {
    const auto account = parse_service_account(key_file(account_key().pem()));
    REQUIRE(account.has_value());
    CHECK(account->email == "gateway@p.iam.example.com");
    CHECK(account->key_id == "key-7");
    CHECK(account->token_url == "https://issuer.example.com/token");
    CHECK(refused(without("private_key_id")) == "taken");  // the issuer then tries all keys of the account
}

TEST_CASE("what is no service account's key is refused by what is wrong with it") {
    const std::string is_none = "is not a service account's key: ";
    CHECK(refused("") == is_none + "a JSON object is expected");
    CHECK(refused("[]") == is_none + "a JSON object is expected");
    CHECK(refused(R"({"type":"authorized_user","refresh_token":"1//x"})") ==
          is_none + "its type is not service_account");
    CHECK(refused(without("client_email")) == is_none + "client_email is missing");
    CHECK(refused(without("private_key\"")) == is_none + "private_key is missing");
    CHECK(refused(without("token_uri")) == is_none + "token_uri is not a URL");
    CHECK(refused(key_file(account_key().pem(), "issuer")) == is_none + "token_uri is not a URL");
    CHECK(refused(key_file("words")) == "its private_key is no private key in PEM, or an encrypted one");
}

TEST_CASE("the assertion is exchanged at the account's token_uri, with the time of now") {
    test::manual_clock clock;
    clock.calendar = std::chrono::system_clock::time_point{std::chrono::seconds(1'750'000'000)};
    service_account_config c;
    c.key = secret(key_file(account_key().pem()));
    const token_request ask = service_account_token(c, clock);
    const auto first = ask();
    REQUIRE(first.has_value());
    CHECK(first->method == "POST");
    CHECK(first->url == "https://issuer.example.com/token");
    CHECK(first->headers.find("content-type") == "application/x-www-form-urlencoded");
    CHECK(first->body.find("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=eyJ") == 0);
    CHECK(claims_in(first->body) ==
          R"({"iss":"gateway@p.iam.example.com","scope":"https://www.googleapis.com/auth/cloud-platform",)"
          R"("aud":"https://issuer.example.com/token","iat":1750000000,"exp":1750003600})");
    clock.advance(std::chrono::seconds(3540));
    const auto second = ask();
    CHECK(claims_in(second->body).find("\"iat\":1750003540") != std::string::npos);
}

TEST_CASE("a key file that was replaced signs the next assertion, and one that is gone none") {
    const temporary_folder folder;
    test::manual_clock clock;
    service_account_config c;
    c.file = folder.write("key.json", key_file(account_key().pem()));
    const token_request ask = service_account_token(c, clock);
    CHECK(ask()->url == "https://issuer.example.com/token");
    folder.write("key.json", key_file(account_key().pem(), "https://other.example.com/token"));
    CHECK(ask()->url == "https://other.example.com/token");
    std::filesystem::remove(c.file);
    CHECK(ask().error().message == "the service account's key cannot be read: No such file or directory");
}

TEST_CASE("the configuration of a service account is checked with its key") {
    const temporary_folder folder;
    const std::string good = folder.write("key.json", key_file(account_key().pem()));
    const std::string bad = folder.write("bad.json", "{}");
    CHECK(problems_with("{file: \"" + good + "\"}") == "");
    CHECK(problems_with("{key: '" + key_file(account_key().pem()) + "'}") == "");
    CHECK(complains(problems_with("{file: \"" + bad + "\"}"), "its type is not service_account"));
    CHECK(complains(problems_with("{file: \"" + bad + "\"}"), "gcp_service_account.file"));
    CHECK(complains(problems_with("{file: /nowhere/key.json}"), "cannot be read: No such file or directory"));
    const std::string words = problems_with("{key: \"hunter2 words\"}");
    CHECK(complains(words, "a JSON object is expected"));
    CHECK_FALSE(complains(words, "hunter2"));
    CHECK(complains(problems_with("{file: a, key: b}"), "takes either a file or a key"));
    CHECK(complains(problems_with("{}"), "takes either a file or a key"));
}
