// The certificates of a listener, replaced while connections use them.
//
// What handshakes see is an immutable snapshot; refresh() swaps it whole. A handshake keeps the snapshot it began with,
// and a certificate that cannot be used never replaces one that can.
#pragma once

#include "net/tls_config.hpp"
#include "net/tls_handles.hpp"

#include <sluice/result.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace sluice::net {

class ticket_keys;

struct tls_expiry {
    std::string cert_file;  // as configured: a label value
    std::chrono::system_clock::time_point not_after;
};

struct tls_refresh {
    bool changed = false;         // new handshakes see something new
    std::vector<error> problems;  // files that were kept out; each state of a file is reported once
};

// Thread-safe: shared by the workers and by whoever calls refresh().
class tls_server_contexts {
public:
    using time_point = std::chrono::steady_clock::time_point;

    // Every certificate must be usable at the start. Errors name the file.
    static result<std::unique_ptr<tls_server_contexts>> make(const tls_server_config& config,
                                                             time_point now = std::chrono::steady_clock::now());
    ~tls_server_contexts();

    // A connection waiting for a client's first message; the certificate is chosen by the name the client asks
    // for. Set its descriptor with SSL_set_fd. Null only when memory is out. Takes a lock for the copy of one pointer,
    // once per connection.
    ssl_ptr new_session() const;

    // Looks whether files changed and takes them over; also replaces the ticket key when it is old. Reads files: call
    // it from a background thread, every few seconds or on a signal.
    tls_refresh refresh(time_point now = std::chrono::steady_clock::now());

    std::vector<tls_expiry> expiries() const;

private:
    struct snapshot;
    struct certificate;
    explicit tls_server_contexts(tls_server_config config);
    std::shared_ptr<const snapshot> current() const;
    result<std::shared_ptr<const certificate>> load(const tls_certificate_config& from) const;
    static int choose_by_name(SSL* ssl, int* alert, void* arg);
    static int choose_protocol(SSL* ssl, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                               unsigned in_size, void* arg);
    static int use_ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                              EVP_MAC_CTX* mac, int sealing);

    const tls_server_config config_;
    std::mutex refreshing_;                    // one refresh at a time
    mutable std::mutex swap_;                  // guards current_, for as long as a pointer is copied
    std::shared_ptr<const snapshot> current_;  // never null
};

}  // namespace sluice::net
