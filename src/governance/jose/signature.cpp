#include "governance/jose/signature.hpp"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <array>
#include <memory>
#include <string>

namespace sluice::jose {
namespace {

const unsigned char* octets(std::string_view s) {
    return reinterpret_cast<const unsigned char*>(s.data());
}

bool hmac_matches(std::string_view key, const algorithm_traits& a, std::string_view message,
                  std::string_view signature) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    std::size_t size = 0;
    if (EVP_Q_mac(nullptr, "HMAC", nullptr, a.digest, nullptr, key.data(), key.size(), octets(message), message.size(),
                  mac.data(), mac.size(), &size) == nullptr) {
        return false;
    }
    return signature.size() == size && CRYPTO_memcmp(mac.data(), signature.data(), size) == 0;
}

std::size_t coordinate_bytes(curve c) {
    return c == curve::p521 ? 66 : c == curve::p384 ? 48 : 32;
}

// OpenSSL wants ECDSA signatures as DER; JOSE sends two numbers of fixed length (RFC 7518 3.4). Empty if the
// length is wrong. Numbers out of range are refused by the verification itself.
std::string ecdsa_to_der(std::string_view raw, std::size_t each) {
    if (raw.size() != 2 * each) return {};
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> sig{ECDSA_SIG_new(), ECDSA_SIG_free};
    BIGNUM* r = BN_bin2bn(octets(raw), static_cast<int>(each), nullptr);
    BIGNUM* s = BN_bin2bn(octets(raw.substr(each)), static_cast<int>(each), nullptr);
    if (!sig || ECDSA_SIG_set0(sig.get(), r, s) != 1) {
        BN_free(r);
        BN_free(s);
        return {};
    }
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(sig.get(), &der);
    if (size <= 0) return {};
    std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return out;
}

bool pkey_matches(EVP_PKEY* pkey, const algorithm_traits& a, std::string_view message, std::string_view signature) {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), EVP_MD_CTX_free};
    EVP_PKEY_CTX* options = nullptr;  // owned by the context
    if (!context || EVP_DigestVerifyInit_ex(context.get(), &options, a.digest, nullptr, nullptr, pkey, nullptr) != 1) {
        return false;
    }
    if (a.kind == family::rsa_pss && (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1 ||
                                      EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) != 1)) {
        return false;
    }
    return EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(message), message.size()) == 1;
}

}  // namespace

bool signature_matches(const verification_key& key, algorithm alg, std::string_view message,
                       std::string_view signature) {
    const algorithm_traits& a = traits(alg);
    if (a.kind == family::hmac) return hmac_matches(key.octets.reveal(), a, message, signature);
    std::string der;
    if (a.kind == family::ecdsa) {
        der = ecdsa_to_der(signature, coordinate_bytes(key.curve));
        if (der.empty()) return false;
        signature = der;
    }
    const bool good = pkey_matches(key.pkey.get(), a, message, signature);
    if (!good) ERR_clear_error();
    return good;
}

}  // namespace sluice::jose
