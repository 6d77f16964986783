#include "routing/jwt_assertion.hpp"

#include "base/base64.hpp"
#include "unit/routing/service_account_key.hpp"

#include <catch2/catch.hpp>

#include <openssl/ec.h>
#include <openssl/rsa.h>

using namespace sluice;
using namespace sluice::routing;
using namespace sluice::routing::testing;
using namespace std::chrono_literals;

namespace {

constexpr std::chrono::system_clock::time_point noon{1'750'000'000s};

std::string refused(const std::string& pem) {
    const auto key = signing_key::from_pem(pem);
    return key ? "taken" : key.error().message;
}

struct token_parts {
    std::string header, payload, signature, signing_input;
};
token_parts take_apart(const std::string& token) {
    const auto one = token.find('.'), two = token.rfind('.');
    REQUIRE(one < two);
    const auto decode = [&](std::size_t from, std::size_t to) {
        return base64url_decode(std::string_view(token).substr(from, to - from)).value();
    };
    return {decode(0, one), decode(one + 1, two), decode(two + 1, token.size()), token.substr(0, two)};
}

}  // namespace

TEST_CASE("an assertion says who signs what for whom and when, and is signed with RS256") {
    const auto key = signing_key::from_pem(account_key().pem());
    REQUIRE(key.has_value());
    assertion_claims claims;
    claims.key_id = "key-7";
    claims.issuer = "me \"quoted\"";
    claims.audience = "https://issuer.example.com/token";
    claims.scope = "read write";
    const auto token = sign_assertion(*key, claims, noon + 999ms);
    REQUIRE(token.has_value());
    const token_parts parts = take_apart(*token);
    CHECK(parts.header == R"({"alg":"RS256","typ":"JWT","kid":"key-7"})");
    CHECK(parts.payload == R"({"iss":"me \"quoted\"","scope":"read write","aud":"https://issuer.example.com/token",)"
                           R"("iat":1750000000,"exp":1750003600})");
    CHECK(account_key().signed_by(parts.signing_input, parts.signature));
    CHECK_FALSE(account_key().signed_by(parts.signing_input + "x", parts.signature));
    CHECK(sign_assertion(*key, claims, noon).value() == *token);
}

TEST_CASE("claims that are not given are not there") {
    const auto key = signing_key::from_pem(account_key().pem());
    assertion_claims claims;
    claims.issuer = "i";
    claims.audience = "a";
    claims.lifetime = 60s;
    const token_parts parts = take_apart(sign_assertion(*key, claims, noon).value());
    CHECK(parts.header == R"({"alg":"RS256","typ":"JWT"})");
    CHECK(parts.payload == R"({"iss":"i","aud":"a","iat":1750000000,"exp":1750000060})");
}

TEST_CASE("a key that cannot sign RS256 well is refused, and its text goes nowhere") {
    CHECK(refused("") == "is no private key in PEM, or an encrypted one");
    CHECK(refused("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n") ==
          "is no private key in PEM, or an encrypted one");
    CHECK(refused(key_pair(EVP_RSA_gen(2048), "words").pem()) == "is no private key in PEM, or an encrypted one");
    CHECK(refused(key_pair(EVP_EC_gen("P-256")).pem()) == "is no RSA key");
    CHECK(refused(key_pair(EVP_RSA_gen(1024)).pem()) == "has 1024 bits: 2048 to 8192 are expected");
    CHECK(refused(account_key().pem() + std::string(70'000, ' ')) == "is too long for a private key");
    CHECK(refused(account_key().pem()) == "taken");
}
