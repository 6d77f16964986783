#include "routing/jwt_assertion.hpp"

#include "base/base64.hpp"
#include "http/json_writer.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <vector>

namespace sluice::routing {
namespace {

constexpr int bits_min = 2048;
constexpr int bits_max = 8192;  // a larger one costs the worker too much time
constexpr std::size_t pem_bytes_max = 64 * 1024;

struct free_bio {
    void operator()(BIO* b) const { BIO_free_all(b); }
};
struct free_context {
    void operator()(EVP_MD_CTX* c) const { EVP_MD_CTX_free(c); }
};

error failed(std::string text) {
    ERR_clear_error();  // what OpenSSL noted belongs to nobody else's next call
    return error{error_kind::credential, std::move(text)};
}

// An encrypted key has no passphrase here. Without this OpenSSL would ask for one on the terminal.
int no_passphrase(char*, int, int, void*) {
    return -1;
}

std::string header_of(const assertion_claims& claims) {
    std::string out;
    http::json_writer w(out);
    w.begin_object().key("alg").string("RS256").key("typ").string("JWT");
    if (!claims.key_id.empty()) w.key("kid").string(claims.key_id);
    w.end_object();
    return out;
}

std::string payload_of(const assertion_claims& claims, std::chrono::system_clock::time_point now) {
    const std::int64_t issued = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    std::string out;
    http::json_writer w(out);
    w.begin_object().key("iss").string(claims.issuer);
    if (!claims.scope.empty()) w.key("scope").string(claims.scope);
    w.key("aud").string(claims.audience).key("iat").integer(issued);
    w.key("exp").integer(issued + claims.lifetime.count()).end_object();
    return out;
}

}  // namespace

result<signing_key> signing_key::from_pem(std::string_view pem) {
    if (pem.size() > pem_bytes_max) return failed("is too long for a private key");
    const std::unique_ptr<BIO, free_bio> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    if (!bio) return failed("cannot be read");
    std::shared_ptr<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr), EVP_PKEY_free);
    if (!key) return failed("is no private key in PEM, or an encrypted one");
    if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) return failed("is no RSA key");
    const int bits = EVP_PKEY_get_bits(key.get());
    if (bits < bits_min || bits > bits_max) {
        return failed("has " + std::to_string(bits) + " bits: " + std::to_string(bits_min) + " to " +
                      std::to_string(bits_max) + " are expected");
    }
    return signing_key(std::move(key));
}

result<std::string> sign_assertion(const signing_key& key, const assertion_claims& claims,
                                   std::chrono::system_clock::time_point now) {
    std::string token = base64url_encode(header_of(claims)) + "." + base64url_encode(payload_of(claims, now));
    const std::unique_ptr<EVP_MD_CTX, free_context> context(EVP_MD_CTX_new());
    const auto* text = reinterpret_cast<const unsigned char*>(token.data());
    std::size_t size = 0;
    if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
        EVP_DigestSign(context.get(), nullptr, &size, text, token.size()) != 1)
        return failed("the assertion cannot be signed");
    std::vector<unsigned char> signature(size);
    if (EVP_DigestSign(context.get(), signature.data(), &size, text, token.size()) != 1)
        return failed("the assertion cannot be signed");
    token += "." + base64url_encode({reinterpret_cast<const char*>(signature.data()), size});
    return token;
}

}  // namespace sluice::routing
