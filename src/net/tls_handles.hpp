// Owners of OpenSSL's objects.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

namespace sluice::net {

struct ssl_deleter {
    void operator()(SSL* p) const { SSL_free(p); }
};
struct ssl_ctx_deleter {
    void operator()(SSL_CTX* p) const { SSL_CTX_free(p); }
};
struct ssl_session_deleter {
    void operator()(SSL_SESSION* p) const { SSL_SESSION_free(p); }
};
struct x509_store_deleter {
    void operator()(X509_STORE* p) const { X509_STORE_free(p); }
};

using ssl_ptr = std::unique_ptr<SSL, ssl_deleter>;
using ssl_ctx_ptr = std::unique_ptr<SSL_CTX, ssl_ctx_deleter>;
using ssl_session_ptr = std::unique_ptr<SSL_SESSION, ssl_session_deleter>;
using x509_store_ptr = std::unique_ptr<X509_STORE, x509_store_deleter>;

}  // namespace sluice::net
