// Signed assertions of our own identity: a JWT (RFC 7519) that an issuer exchanges for a token (RFC 7523 section 2.1).
#pragma once

#include <sluice/result.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace sluice::routing {

// A private RSA key. Immutable once read; copies share it, workers may too.
class signing_key {
public:
    // PEM, PKCS #8 or PKCS #1, not encrypted, 2048 to 8192 bits (RFC 7518 section 3.3 asks for at least 2048). The
    // error says what is wrong with it and quotes nothing of it.
    static result<signing_key> from_pem(std::string_view pem);
    evp_pkey_st* get() const { return key_.get(); }

private:
    explicit signing_key(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
    std::shared_ptr<evp_pkey_st> key_;
};

struct assertion_claims {
    std::string key_id;    // `kid` of the header; empty: none
    std::string issuer;    // `iss`
    std::string audience;  // `aud`
    std::string scope;     // `scope`, by spaces; empty: none
    std::chrono::seconds lifetime{3600};
};

// header.payload.signature with RS256; `iat` is now, `exp` is now + lifetime. Pure: the same text for the same input.
// Takes a millisecond or so (2048 bits).
result<std::string> sign_assertion(const signing_key& key, const assertion_claims& claims,
                                   std::chrono::system_clock::time_point now);

}  // namespace sluice::routing
