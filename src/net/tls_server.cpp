#include "net/tls_server.hpp"

#include "net/tls_context.hpp"
#include "net/tls_error.hpp"
#include "net/tls_names.hpp"
#include "net/tls_tickets.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace sluice::net {

namespace {

constexpr long ticket_seconds = 7200;  // how long a ticket may be used
constexpr unsigned char session_scope[] = "sluice";

struct stamps {
    file_stamp cert, key;
    bool operator==(const stamps&) const = default;
};

stamps stamps_of(const tls_certificate_config& c) {
    return {file_stamp::of(c.cert_file), file_stamp::of(c.key_file)};
}

}  // namespace

// One certificate with its context. Kept across snapshots while its files do not change.
struct tls_server_contexts::certificate {
    ssl_ctx_ptr context;
    std::vector<std::string> names;
    std::chrono::system_clock::time_point not_after;
    stamps files;
};

struct tls_server_contexts::snapshot {
    std::vector<std::shared_ptr<const certificate>> certificates;  // in the order of the configuration
    std::vector<stamps> seen;                           // of each certificate's files, also of those that were kept out
    file_stamp client_ca;                               // likewise
    std::unordered_map<std::string, SSL_CTX*> by_name;  // "example.com"
    std::unordered_map<std::string, SSL_CTX*> by_parent;  // ".example.com" for "*.example.com"
    std::shared_ptr<const ticket_keys> tickets;

    void index();
    SSL_CTX* find(std::string_view host) const;

    // A connection holds the snapshot it began with, in a slot of the SSL object.
    static int slot();
    static const snapshot* of(const SSL* ssl) {
        const auto* held = static_cast<std::shared_ptr<const snapshot>*>(SSL_get_ex_data(ssl, slot()));
        return held != nullptr ? held->get() : nullptr;
    }
};

int tls_server_contexts::snapshot::slot() {
    static const int index =
        SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, [](void*, void* held, CRYPTO_EX_DATA*, int, long, void*) {
            delete static_cast<std::shared_ptr<const snapshot>*>(held);
        });
    return index;
}

// The first certificate that has a name answers for it.
void tls_server_contexts::snapshot::index() {
    for (const auto& c : certificates) {
        for (const auto& name : c->names) {
            if (name.starts_with("*.")) {
                by_parent.try_emplace(name.substr(1), c->context.get());
            } else {
                by_name.try_emplace(name, c->context.get());
            }
        }
    }
}

SSL_CTX* tls_server_contexts::snapshot::find(std::string_view asked) const {
    const std::string host = comparable(asked);
    if (const auto at = by_name.find(host); at != by_name.end()) return at->second;
    const std::size_t dot = host.find('.');
    if (dot != host.npos && dot > 0)
        if (const auto at = by_parent.find(host.substr(dot)); at != by_parent.end()) return at->second;
    return certificates.front()->context.get();
}

result<std::unique_ptr<tls_server_contexts>> tls_server_contexts::make(const tls_server_config& config,
                                                                       time_point now) {
    if (config.certificates.empty()) return error{error_kind::bad_request, "TLS needs at least one certificate"};
    std::unique_ptr<tls_server_contexts> contexts(new tls_server_contexts(config));
    auto first = std::make_shared<snapshot>();
    first->client_ca = file_stamp::of(config.client_ca);
    for (const auto& from : config.certificates) {
        auto loaded = contexts->load(from);
        if (!loaded) return loaded.error();
        first->seen.push_back((*loaded)->files);
        first->certificates.push_back(std::move(*loaded));
    }
    first->tickets = ticket_keys::fresh(now);
    if (!first->tickets) return error{error_kind::internal, "no ticket key: " + describe_tls_error()};
    first->index();
    contexts->current_ = std::move(first);
    return contexts;
}

tls_server_contexts::tls_server_contexts(tls_server_config config) : config_(std::move(config)) {}
tls_server_contexts::~tls_server_contexts() = default;

std::shared_ptr<const tls_server_contexts::snapshot> tls_server_contexts::current() const {
    const std::lock_guard lock(swap_);
    return current_;
}

ssl_ptr tls_server_contexts::new_session() const {
    ERR_clear_error();
    auto held = std::make_unique<std::shared_ptr<const snapshot>>(current());
    ssl_ptr ssl{SSL_new((*held)->certificates.front()->context.get())};
    if (!ssl) return nullptr;
    auto* given = held.release();  // the SSL object's, unless it does not take it
    if (SSL_set_ex_data(ssl.get(), snapshot::slot(), given) != 1) {
        delete given;
        return nullptr;
    }
    SSL_set_accept_state(ssl.get());
    return ssl;
}

tls_refresh tls_server_contexts::refresh(time_point now) {
    const std::lock_guard one(refreshing_);
    const auto old = current();
    auto next = std::make_shared<snapshot>();
    next->client_ca = file_stamp::of(config_.client_ca);
    next->tickets = old->tickets;
    tls_refresh report;
    const bool new_cas = next->client_ca != old->client_ca;
    for (std::size_t i = 0; i < config_.certificates.size(); ++i) {
        const auto& from = config_.certificates[i];
        const auto& had = old->certificates[i];
        next->seen.push_back(stamps_of(from));
        next->certificates.push_back(had);
        const bool replaced = next->seen[i] != had->files && next->seen[i] != old->seen[i];
        if (!replaced && !new_cas) continue;
        auto loaded = load(from);
        const auto clock_now = std::chrono::system_clock::now();
        if (loaded && (*loaded)->not_after < clock_now && had->not_after >= clock_now)
            loaded = error{error_kind::bad_request,
                           "the new certificate in " + from.cert_file + " has expired: the old one stays"};
        if (loaded) {
            next->certificates[i] = std::move(*loaded);
            report.changed = true;
        } else {
            report.problems.push_back(loaded.error());
        }
    }
    if (new_cas && report.changed) {
        // A ticket vouches for a client that the old CAs had let in.
        if (auto keys = ticket_keys::fresh(now)) next->tickets = std::move(keys);
    } else if (now - old->tickets->newest() >= config_.ticket_rotation) {
        if (auto keys = old->tickets->rotated(now)) next->tickets = std::move(keys);
        report.changed = report.changed || next->tickets != old->tickets;
    }
    // What was kept out is remembered too, so that it is reported once.
    if (!report.changed && !new_cas && next->seen == old->seen) return report;
    next->index();
    const std::lock_guard lock(swap_);
    current_ = std::move(next);
    return report;
}

std::vector<tls_expiry> tls_server_contexts::expiries() const {
    const auto held = current();
    std::vector<tls_expiry> all;
    all.reserve(held->certificates.size());
    for (std::size_t i = 0; i < held->certificates.size(); ++i)
        all.push_back({config_.certificates[i].cert_file, held->certificates[i]->not_after});
    return all;
}

result<std::shared_ptr<const tls_server_contexts::certificate>> tls_server_contexts::load(
    const tls_certificate_config& from) const {
    auto loaded = std::make_shared<certificate>();
    // Taken before the files are read: a change in between is seen at the next refresh.
    loaded->files = stamps_of(from);
    auto context = new_tls_context(TLS_server_method(), config_.min_version);
    if (!context) return context.error();
    SSL_CTX* c = context->get();
    if (const auto used = use_certificate(*c, from.cert_file, from.key_file); !used) return used.error();
    if (!config_.ciphers.empty() && SSL_CTX_set_cipher_list(c, config_.ciphers.c_str()) != 1)
        return error{error_kind::bad_request, "ciphers \"" + config_.ciphers + "\": " + describe_tls_error()};
    SSL_CTX_set_options(c, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_alpn_select_cb(c, &choose_protocol, nullptr);
    SSL_CTX_set_tlsext_servername_callback(c, &choose_by_name);
    // Sessions live in the clients' tickets, not in our memory.
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_id_context(c, session_scope, sizeof session_scope - 1);
    SSL_CTX_set_timeout(c, ticket_seconds);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(c, &use_ticket_key);
    if (!config_.client_ca.empty()) {
        auto cas = load_cas(config_.client_ca);
        if (!cas) return cas.error();
        SSL_CTX_set_cert_store(c, cas->release());  // takes it over
        SSL_CTX_set_client_CA_list(c, SSL_load_client_CA_file(config_.client_ca.c_str()));
        SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    X509* own = SSL_CTX_get0_certificate(c);
    for (const auto& name : from.names) loaded->names.push_back(comparable(name));
    if (loaded->names.empty()) loaded->names = names_of(*own);
    loaded->not_after = net::not_after(*own);
    loaded->context = std::move(*context);
    ERR_clear_error();
    return std::shared_ptr<const certificate>(std::move(loaded));
}

int tls_server_contexts::choose_by_name(SSL* ssl, int*, void*) {
    const char* asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    const snapshot* s = snapshot::of(ssl);
    if (asked == nullptr || s == nullptr) return SSL_TLSEXT_ERR_NOACK;
    SSL_CTX* chosen = s->find(asked);
    if (chosen != SSL_get_SSL_CTX(ssl)) SSL_set_SSL_CTX(ssl, chosen);
    return SSL_TLSEXT_ERR_OK;
}

// A client that offers protocols without HTTP/1.1 would send something else: RFC 7301 wants the alert.
int tls_server_contexts::choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                                         const unsigned char* in, unsigned in_size, void*) {
    constexpr std::string_view http = "http/1.1";
    for (unsigned at = 0; at < in_size; at += in[at] + 1U) {
        const unsigned size = in[at];
        if (at + 1 + size > in_size) break;
        if (std::string_view{reinterpret_cast<const char*>(in + at + 1), size} != http) continue;
        *out = in + at + 1;
        *out_size = static_cast<unsigned char>(size);
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int tls_server_contexts::use_ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                                        EVP_MAC_CTX* mac, int sealing) {
    const snapshot* s = snapshot::of(ssl);
    if (s == nullptr) return -1;
    if (sealing != 0) return s->tickets->seal(name, iv, cipher, mac);
    return s->tickets->open(name, iv, cipher, mac, SSL_version(ssl) >= TLS1_3_VERSION);
}

}  // namespace sluice::net
