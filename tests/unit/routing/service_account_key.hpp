// A service account with a key of its own, made anew in each run: nothing secret lies in the source.
#pragma once

#include "http/json_writer.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>
#include <string>
#include <string_view>

namespace sluice::routing::testing {

class key_pair {
public:
    // `passphrase` encrypts the PEM.
    explicit key_pair(EVP_PKEY* key, const char* passphrase = nullptr) : key_(key, EVP_PKEY_free) {
        const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new(BIO_s_mem()), BIO_free_all);
        const auto size = passphrase == nullptr ? 0 : static_cast<int>(std::string_view(passphrase).size());
        PEM_write_bio_PKCS8PrivateKey(bio.get(), key, passphrase == nullptr ? nullptr : EVP_aes_128_cbc(), passphrase,
                                      size, nullptr, nullptr);
        char* text = nullptr;
        const long n = BIO_get_mem_data(bio.get(), &text);
        pem_.assign(text, static_cast<std::size_t>(n));
    }
    const std::string& pem() const { return pem_; }

    // Is this the RSASSA-PKCS1-v1_5 signature with SHA-256 of that text?
    bool signed_by(std::string_view text, std::string_view signature) const {
        const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> c(EVP_MD_CTX_new(), EVP_MD_CTX_free);
        EVP_DigestVerifyInit(c.get(), nullptr, EVP_sha256(), nullptr, key_.get());
        return EVP_DigestVerify(c.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                                reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
    }

private:
    std::shared_ptr<EVP_PKEY> key_;
    std::string pem_;
};

// One for all tests: making it takes longer than they do.
inline const key_pair& account_key() {
    static const key_pair key(EVP_RSA_gen(2048));
    return key;
}

inline std::string key_file(std::string_view pem, std::string_view token_url = "https://issuer.example.com/token") {
    std::string out;
    http::json_writer w(out);
    w.begin_object().key("type").string("service_account").key("project_id").string("p");
    w.key("private_key_id").string("key-7").key("private_key").string(pem);
    w.key("client_email").string("gateway@p.iam.example.com").key("token_uri").string(token_url).end_object();
    return out;
}

}  // namespace sluice::routing::testing
