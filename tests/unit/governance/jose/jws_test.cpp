#include "governance/jose/jws.hpp"

#include "base/base64.hpp"
#include "governance/jose/claims.hpp"

#include <catch2/catch.hpp>

#include <array>

using namespace sluice;
using namespace sluice::jose;
using namespace std::chrono_literals;

namespace {

constexpr std::array eddsa_only = {algorithm::eddsa};
constexpr std::array hs256_only = {algorithm::hs256};

// RFC 8037 appendix A: an Ed25519 key and a token signed with it.
const std::string ed25519_jwks =
    R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})";
const std::string ed25519_token =
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4i"
    "ylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
const std::string secret_jwks =
    R"({"keys":[{"kty":"oct","kid":"s","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]})";

verdict judge(const std::string& jwks, std::string_view token, std::span<const algorithm> allowed) {
    const auto keys = parse_jwks(jwks);
    REQUIRE(keys.has_value());
    const auto read = read_compact(token);
    return read ? verify_signature(*read, *keys, allowed) : verdict::malformed;
}

std::string token_with_header(std::string_view header) {
    return base64url_encode(header) + ".e30.AAAA";
}

verdict claims_verdict(std::string_view text, const claim_rules& rules, std::chrono::seconds now) {
    const auto claims = json_object::parse(text);
    REQUIRE(claims.has_value());
    return check_claims(*claims, rules, std::chrono::system_clock::time_point(now));
}

}  // namespace

TEST_CASE("base64url is read strictly") {
    CHECK(base64url_decode("") == "");
    CHECK(base64url_decode("Zg") == "f");
    CHECK(base64url_decode("Zm9vYmE") == "fooba");
    CHECK(base64url_decode("-_8") == "\xfb\xff");
    for (const auto* bad : {"Zg==", "Zg=", "Z", "Zh", "Zm9", "+/8", "Z g", "Zm9v\n", "Zm9vY"}) {
        INFO(bad);
        CHECK_FALSE(base64url_decode(bad).has_value());
    }
    for (const std::string_view bytes : {"", "f", "fo", "foo", "foob"}) {
        CHECK(base64url_decode(base64url_encode(bytes)) == bytes);
    }
}

TEST_CASE("an Ed25519 token is verified, and not when a byte of it changes") {
    CHECK(judge(ed25519_jwks, ed25519_token, eddsa_only) == verdict::good);
    std::string payload = ed25519_token;
    payload[22] = payload[22] == 'R' ? 'S' : 'R';
    CHECK(judge(ed25519_jwks, payload, eddsa_only) != verdict::good);
    std::string signature = ed25519_token;
    signature[signature.size() - 20] ^= 1;
    CHECK(judge(ed25519_jwks, signature, eddsa_only) != verdict::good);
}

TEST_CASE("an algorithm that is not in the list is refused, whatever the key says") {
    CHECK(judge(ed25519_jwks, ed25519_token, hs256_only) == verdict::not_allowed);
    CHECK(judge(ed25519_jwks, ed25519_token, {}) == verdict::not_allowed);
}

TEST_CASE("none is refused in every spelling") {
    for (const auto* none : {"none", "None", "NONE", "nOnE", ""}) {
        const std::string header = std::string(R"({"alg":")") + none + R"("})";
        CHECK(judge(secret_jwks, base64url_encode(header) + ".e30.", hs256_only) == verdict::not_allowed);
        CHECK(judge(secret_jwks, token_with_header(header), hs256_only) == verdict::not_allowed);
    }
}

TEST_CASE("extensions that must be understood are refused") {
    CHECK(judge(secret_jwks, token_with_header(R"({"alg":"HS256","crit":["exp"],"exp":1})"), hs256_only) ==
          verdict::not_allowed);
    CHECK(judge(secret_jwks, token_with_header(R"({"alg":"HS256","b64":false})"), hs256_only) == verdict::not_allowed);
}

TEST_CASE("keys and addresses in the header are not looked at") {
    const std::string own_key =
        R"({"alg":"EdDSA","kid":"x","jwk":{"kty":"OKP","crv":"Ed25519","kid":"x","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},"jku":"https://evil.example/"})";
    CHECK(judge(secret_jwks, token_with_header(own_key), eddsa_only) == verdict::unknown_key);
}

TEST_CASE("a kid that is not in the set is unknown, even if another key would fit") {
    CHECK(judge(secret_jwks, token_with_header(R"({"alg":"HS256","kid":"../../etc/passwd"})"), hs256_only) ==
          verdict::unknown_key);
    CHECK(judge(secret_jwks, token_with_header(R"({"alg":"HS256","kid":"s"})"), hs256_only) == verdict::bad_signature);
}

TEST_CASE("texts that are no tokens are malformed") {
    for (const std::string& text :
         {std::string(), std::string("."), std::string(".."), std::string("a.b.c"), ed25519_token + ".",
          ed25519_token + "=", " " + ed25519_token, token_with_header("[]"), token_with_header("{}"),
          token_with_header(R"({"alg":1})"), token_with_header(R"({"alg":"HS256","kid":7})"),
          token_with_header(R"({"alg":"HS256","alg":"none"})"), std::string(token_bytes_max + 1, 'A')}) {
        INFO(text.substr(0, 60));
        CHECK_FALSE(read_compact(text).has_value());
    }
}

TEST_CASE("key sets skip what they cannot use and say why") {
    const auto keys =
        parse_jwks(R"({"keys":[{"kty":"XYZ"},{"kty":"OKP","crv":"X25519","x":"AA"},)"
                   R"({"kty":"OKP","crv":"Ed25519","kid":"good","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})");
    REQUIRE(keys.has_value());
    CHECK(keys->keys.size() == 1);
    CHECK(keys->skipped.size() == 2);
    CHECK(keys->find("good") != nullptr);
    CHECK(keys->find("") == nullptr);
    for (const auto* bad : {"", "[]", "{}", R"({"keys":{}})", R"({"keys":[1]})"})
        CHECK_FALSE(parse_jwks(bad).has_value());
}

TEST_CASE("claims must name issuer and audience and be current") {
    claim_rules rules;
    rules.issuer = "https://issuer";
    rules.audiences = {"gateway", "other"};
    const auto judged = [&](std::string_view text, std::chrono::seconds now = 1000s) {
        return claims_verdict(text, rules, now);
    };
    CHECK(judged(R"({"iss":"https://issuer","aud":"gateway","exp":1001})") == verdict::good);
    CHECK(judged(R"({"iss":"https://issuer","aud":["x","other"],"exp":1001})") == verdict::good);
    CHECK(judged(R"({"aud":"gateway","exp":1001})") == verdict::missing_claim);
    CHECK(judged(R"({"iss":"https://issuer","exp":1001})") == verdict::missing_claim);
    CHECK(judged(R"({"iss":"https://issuer","aud":"gateway"})") == verdict::missing_claim);
    CHECK(judged(R"({"iss":"https://issuer/","aud":"gateway","exp":1001})") == verdict::wrong_issuer);
    CHECK(judged(R"({"iss":"https://issuer","aud":"gate","exp":1001})") == verdict::wrong_audience);
    CHECK(judged(R"({"iss":"https://issuer","aud":[],"exp":1001})") == verdict::wrong_audience);
    CHECK(judged(R"({"iss":"https://issuer","aud":7,"exp":1001})") == verdict::malformed);
    CHECK(judged(R"({"iss":"https://issuer","aud":"gateway","exp":"1001"})") == verdict::malformed);
}

TEST_CASE("times are taken with the leeway and not beyond it") {
    claim_rules rules;
    rules.issuer = "i";
    const auto judged = [&](std::string_view text, std::chrono::seconds now) {
        return claims_verdict(text, rules, now);
    };
    CHECK(judged(R"({"iss":"i","exp":1000})", 1059s) == verdict::good);
    CHECK(judged(R"({"iss":"i","exp":1000})", 1060s) == verdict::expired);
    CHECK(judged(R"({"iss":"i","exp":9e9,"nbf":1000})", 940s) == verdict::good);
    CHECK(judged(R"({"iss":"i","exp":9e9,"nbf":1000})", 939s) == verdict::not_yet_valid);
    CHECK(judged(R"({"iss":"i","exp":9e9,"iat":1000.5})", 940s) == verdict::not_yet_valid);
    rules.expiry_required = false;
    CHECK(judged(R"({"iss":"i"})", 939s) == verdict::good);
}
