// TLS towards upstreams: who is trusted, who we are, and sessions that are resumed.
#pragma once

#include "net/tls_config.hpp"
#include "net/tls_context.hpp"
#include "net/tls_handles.hpp"

#include <sluice/result.hpp>

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sluice::net {

// CA certificates, loaded once for all contexts that trust the same: the system's have megabytes and take
// milliseconds. Used while a configuration is built; not thread-safe.
class tls_trust {
public:
    // The CAs of a PEM file, or those of the system for "". A file that changed is read again.
    result<X509_STORE*> get(const std::string& ca_file);

private:
    struct entry {
        file_stamp stamp;
        x509_store_ptr store;
    };
    std::map<std::string, entry> loaded_;
};

// Sessions to resume, of one worker; not thread-safe. Saves a round trip of key exchange and the upstream's signature.
class tls_session_store {
public:
    explicit tls_session_store(std::size_t upstreams_max = 1024) : upstreams_max_(upstreams_max) {}

    static constexpr std::size_t sessions_per_upstream = 8;

    // Keeps a session; the oldest of the same key, or the least recently used key, goes when it is full.
    void put(const std::string& key, ssl_session_ptr session);
    // A session that can still be resumed, or null. One of TLS 1.3 is handed out once (RFC 8446, C.4).
    ssl_session_ptr take(const std::string& key);
    std::size_t size() const { return by_key_.size(); }

private:
    struct entry {
        std::vector<ssl_session_ptr> sessions;  // newest last
        std::list<std::string>::iterator recent;
    };
    const std::size_t upstreams_max_;
    std::unordered_map<std::string, entry> by_key_;
    std::list<std::string> recent_;  // most recently used first
};

// One per provider. Immutable and safe to share between threads; a changed file makes a new one.
class tls_client_context {
public:
    // Errors name the file. `trust` is needed only during the call.
    static result<std::shared_ptr<const tls_client_context>> make(const tls_client_config& config, tls_trust& trust);

    // A connection that will greet `host`: SNI for names, none for literals, the certificate checked against the
    // name or the address, a session from `store` resumed if there is one. New sessions go to `store`, which the
    // connection keeps alive. Set its descriptor with SSL_set_fd; use it on the store's worker only.
    result<ssl_ptr> new_session(const std::shared_ptr<tls_session_store>& store, std::string_view host,
                                std::uint16_t port) const;

    // Has a file changed since it was read? Reads the file system.
    bool outdated() const;
    bool verifies() const { return !config_.insecure_skip_verify; }

private:
    explicit tls_client_context(tls_client_config config);
    static int keep_session(SSL* ssl, SSL_SESSION* session);

    const tls_client_config config_;
    const std::uint64_t id_;  // part of the key of sessions: those of another context are never resumed
    ssl_ctx_ptr context_;
    file_stamp ca_, cert_, key_;
};

}  // namespace sluice::net
