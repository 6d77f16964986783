// The keys that session tickets are sealed with (RFC 5077, RFC 8446 4.6.1), and their rotation.
//
// A ticket holds what is needed to resume a session, so whoever has its key can read TLS 1.2 sessions recorded
// earlier: keys live for hours, in memory only. The newest seals, all of the ring open.
#pragma once

#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <array>
#include <chrono>
#include <memory>
#include <vector>

namespace sluice::net {

// Immutable; safe to share between threads.
class ticket_keys {
public:
    using time_point = std::chrono::steady_clock::time_point;
    static constexpr std::size_t kept = 3;  // one that seals, two that only open

    // A ring with one new key. Null when the system has no randomness.
    static std::shared_ptr<const ticket_keys> fresh(time_point now);
    // A ring with one more key, the oldest dropped.
    std::shared_ptr<const ticket_keys> rotated(time_point now) const;
    time_point newest() const { return keys_.front().made; }

    ~ticket_keys();
    ticket_keys(const ticket_keys&) = delete;
    ticket_keys& operator=(const ticket_keys&) = delete;

    // The work of SSL_CTX_set_tlsext_ticket_key_evp_cb's callback, with its parameters and results.
    int seal(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) const;
    // `single_use`: clients use a ticket once (TLS 1.3), so that each one opened is answered with a new one.
    int open(const unsigned char* name, const unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
             bool single_use) const;

private:
    struct key {
        std::array<unsigned char, 16> name;  // tells the keys apart, sent in clear
        std::array<unsigned char, 32> cipher;
        std::array<unsigned char, 32> mac;
        time_point made;
    };
    ticket_keys() = default;
    static std::shared_ptr<ticket_keys> with_new_key(time_point now);

    std::vector<key> keys_;      // newest first, never empty
    EVP_CIPHER* aes_ = nullptr;  // fetched once, not with every ticket
};

}  // namespace sluice::net
