#include "net/tls_client.hpp"

#include "net/address_guard.hpp"
#include "net/tls_error.hpp"
#include "net/tls_names.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <cstdlib>
#include <ctime>
#include <utility>

namespace sluice::net {

namespace {

// Where systems keep all CAs in one file. One file is read once; a folder of hashed names would be searched in every
// handshake with a CA not met before.
std::vector<std::string> system_bundles() {
    std::vector<std::string> files;
    for (const char* file :
         {static_cast<const char*>(std::getenv(X509_get_default_cert_file_env())), X509_get_default_cert_file(),
          "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"})
        if (file != nullptr && file_stamp::of(file).bytes > 0) files.emplace_back(file);
    return files;
}

result<x509_store_ptr> load_system_cas() {
    for (const auto& file : system_bundles())
        if (auto store = load_cas(file)) return store;
    x509_store_ptr store{X509_STORE_new()};
    if (!store || X509_STORE_set_default_paths(store.get()) != 1)
        return tls_file_error("cannot use", "the system's CAs");
    return store;
}

bool resumable(const SSL_SESSION* s) {
    return SSL_SESSION_is_resumable(s) == 1 &&
           SSL_SESSION_get_time(s) + SSL_SESSION_get_timeout(s) > std::time(nullptr);
}

// Where the sessions of a connection go, in a slot of the SSL object.
struct session_home {
    std::shared_ptr<tls_session_store> store;
    std::string key;

    static int slot() {
        static const int index = SSL_get_ex_new_index(
            0, nullptr, nullptr, nullptr,
            [](void*, void* held, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<session_home*>(held); });
        return index;
    }
};

std::uint64_t next_id() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

// Tells OpenSSL whose certificate to expect.
bool expect(SSL* ssl, const std::string& host, bool literal) {
    if (literal) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, host.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
}

}  // namespace

result<X509_STORE*> tls_trust::get(const std::string& ca_file) {
    const file_stamp now = file_stamp::of(ca_file);
    const auto at = loaded_.find(ca_file);
    if (at != loaded_.end() && at->second.stamp == now) return at->second.store.get();
    auto store = ca_file.empty() ? load_system_cas() : load_cas(ca_file);
    if (!store) return store.error();
    // A certificate an operator listed is trusted by itself, whoever issued it.
    if (!ca_file.empty()) X509_STORE_set_flags(store->get(), X509_V_FLAG_PARTIAL_CHAIN);
    ERR_clear_error();
    entry& e = loaded_[ca_file];
    e = {now, std::move(*store)};
    return e.store.get();
}

void tls_session_store::put(const std::string& key, ssl_session_ptr session) {
    if (!session || !resumable(session.get())) return;
    auto at = by_key_.find(key);
    if (at == by_key_.end()) {
        while (!recent_.empty() && by_key_.size() >= upstreams_max_) {
            by_key_.erase(recent_.back());
            recent_.pop_back();
        }
        recent_.push_front(key);
        at = by_key_.emplace(key, entry{{}, recent_.begin()}).first;
    }
    auto& sessions = at->second.sessions;
    if (sessions.size() >= sessions_per_upstream) sessions.erase(sessions.begin());
    sessions.push_back(std::move(session));
}

ssl_session_ptr tls_session_store::take(const std::string& key) {
    const auto at = by_key_.find(key);
    if (at == by_key_.end()) return nullptr;
    recent_.splice(recent_.begin(), recent_, at->second.recent);
    auto& sessions = at->second.sessions;
    while (!sessions.empty()) {
        if (!resumable(sessions.back().get())) {
            sessions.pop_back();
            continue;
        }
        if (SSL_SESSION_get_protocol_version(sessions.back().get()) < TLS1_3_VERSION)
            return ssl_session_ptr{SSL_SESSION_dup(sessions.back().get())};  // see keep_session
        ssl_session_ptr session = std::move(sessions.back());
        sessions.pop_back();
        return session;
    }
    return nullptr;
}

tls_client_context::tls_client_context(tls_client_config config) : config_(std::move(config)), id_(next_id()) {}

result<std::shared_ptr<const tls_client_context>> tls_client_context::make(const tls_client_config& config,
                                                                           tls_trust& trust) {
    const std::shared_ptr<tls_client_context> made(new tls_client_context(config));
    made->ca_ = file_stamp::of(config.ca_file);
    made->cert_ = file_stamp::of(config.cert_file);
    made->key_ = file_stamp::of(config.key_file);
    auto context = new_tls_context(TLS_client_method(), config.min_version);
    if (!context) return context.error();
    SSL_CTX* c = context->get();
    if (config.insecure_skip_verify) {
        SSL_CTX_set_verify(c, SSL_VERIFY_NONE, nullptr);
    } else {
        const auto cas = trust.get(config.ca_file);
        if (!cas) return cas.error();
        SSL_CTX_set1_cert_store(c, *cas);
        SSL_CTX_set_verify(c, SSL_VERIFY_PEER, &note_refusal);
    }
    if (!config.cert_file.empty())
        if (const auto used = use_certificate(*c, config.cert_file, config.key_file); !used) return used.error();
    static constexpr unsigned char protocols[] = "\x08http/1.1";
    if (SSL_CTX_set_alpn_protos(c, protocols, sizeof protocols - 1) != 0)
        return error{error_kind::internal, "cannot set up TLS: " + describe_tls_error()};
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(c, &keep_session);
    made->context_ = std::move(*context);
    return std::shared_ptr<const tls_client_context>(made);
}

result<ssl_ptr> tls_client_context::new_session(const std::shared_ptr<tls_session_store>& store, std::string_view host,
                                                std::uint16_t port) const {
    ERR_clear_error();
    const std::string_view named = config_.server_name.empty() ? host : std::string_view{config_.server_name};
    const host_kind kind = classify_host(named);
    const std::string name = kind.address ? kind.address->to_string() : comparable(named);
    ssl_ptr ssl{SSL_new(context_.get())};
    if (!ssl || !expect(ssl.get(), name, kind.address.has_value()))
        return error{error_kind::upstream_tls,
                     "cannot set up TLS for " + std::string{host} + ": " + describe_tls_error()};
    auto home = std::make_unique<session_home>();
    home->store = store;
    home->key = std::to_string(id_) + "|" + std::string{host} + "|" + std::to_string(port);
    if (const ssl_session_ptr session = store->take(home->key)) SSL_set_session(ssl.get(), session.get());
    session_home* given = home.release();  // the SSL object's, unless it does not take it
    if (SSL_set_ex_data(ssl.get(), session_home::slot(), given) != 1) delete given;
    SSL_set_connect_state(ssl.get());
    ERR_clear_error();
    return ssl;
}

bool tls_client_context::outdated() const {
    return file_stamp::of(config_.ca_file) != ca_ || file_stamp::of(config_.cert_file) != cert_ ||
           file_stamp::of(config_.key_file) != key_;
}

// OpenSSL marks the session of a connection that ends without close_notify as not resumable, which upstreams and
// pools do all the time; a copy is not touched by that.
int tls_client_context::keep_session(SSL* ssl, SSL_SESSION* session) {
    const auto* home = static_cast<session_home*>(SSL_get_ex_data(ssl, session_home::slot()));
    if (home != nullptr) home->store->put(home->key, ssl_session_ptr{SSL_SESSION_dup(session)});
    return 0;  // OpenSSL keeps its own
}

}  // namespace sluice::net
