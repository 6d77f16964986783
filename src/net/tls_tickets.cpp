#include "net/tls_tickets.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>

namespace sluice::net {

namespace {

bool set_mac(EVP_MAC_CTX* mac, const std::array<unsigned char, 32>& key) {
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, const_cast<unsigned char*>(key.data()), key.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

}  // namespace

std::shared_ptr<ticket_keys> ticket_keys::with_new_key(time_point now) {
    const std::shared_ptr<ticket_keys> ring(new ticket_keys);
    ring->keys_.reserve(kept);
    key& k = ring->keys_.emplace_back();
    k.made = now;
    ring->aes_ = EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
    const bool random = RAND_bytes(k.name.data(), static_cast<int>(k.name.size())) == 1 &&
                        RAND_priv_bytes(k.cipher.data(), static_cast<int>(k.cipher.size())) == 1 &&
                        RAND_priv_bytes(k.mac.data(), static_cast<int>(k.mac.size())) == 1;
    return random && ring->aes_ != nullptr ? ring : nullptr;
}

std::shared_ptr<const ticket_keys> ticket_keys::fresh(time_point now) {
    return with_new_key(now);
}

std::shared_ptr<const ticket_keys> ticket_keys::rotated(time_point now) const {
    auto ring = with_new_key(now);
    if (!ring) return nullptr;
    const std::size_t old = std::min(keys_.size(), kept - 1);
    ring->keys_.insert(ring->keys_.end(), keys_.begin(), keys_.begin() + static_cast<std::ptrdiff_t>(old));
    return ring;
}

ticket_keys::~ticket_keys() {
    EVP_CIPHER_free(aes_);
    for (auto& k : keys_) OPENSSL_cleanse(&k, sizeof k);
}

int ticket_keys::seal(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) const {
    const key& k = keys_.front();
    std::memcpy(name, k.name.data(), k.name.size());
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(aes_)) != 1) return -1;
    if (EVP_EncryptInit_ex2(cipher, aes_, k.cipher.data(), iv, nullptr) != 1 || !set_mac(mac, k.mac)) return -1;
    return 1;
}

int ticket_keys::open(const unsigned char* name, const unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                      bool single_use) const {
    const auto k = std::find_if(keys_.begin(), keys_.end(), [&](const key& candidate) {
        return CRYPTO_memcmp(candidate.name.data(), name, candidate.name.size()) == 0;
    });
    if (k == keys_.end()) return 0;  // full handshake
    if (EVP_DecryptInit_ex2(cipher, aes_, k->cipher.data(), iv, nullptr) != 1 || !set_mac(mac, k->mac)) return -1;
    return k == keys_.begin() && !single_use ? 1 : 2;  // 2: send a new ticket, sealed with the newest key
}

}  // namespace sluice::net
