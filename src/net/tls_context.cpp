#include "net/tls_context.hpp"

#include "net/tls_error.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

namespace sluice::net {

namespace {

// Forward secrecy and authenticated encryption only; TLS 1.3 has nothing else anyway.
constexpr const char* ciphers_tls1_2 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* groups = "X25519:P-256:P-384";

int no_passphrase(char*, int, int, void*) {
    return 0;
}

std::int64_t nanoseconds(const timespec& t) {
    return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

}  // namespace

file_stamp file_stamp::of(const std::string& path) {
    struct stat s{};
    if (path.empty() || ::stat(path.c_str(), &s) != 0) return {};
    return {s.st_dev, s.st_ino, s.st_size, nanoseconds(s.st_mtim), nanoseconds(s.st_ctim)};
}

result<ssl_ctx_ptr> new_tls_context(const SSL_METHOD* method, tls_version min_version) {
    ERR_clear_error();
    ssl_ctx_ptr context{SSL_CTX_new(method)};
    SSL_CTX* c = context.get();
    const int oldest = min_version == tls_version::tls1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
    if (c == nullptr || SSL_CTX_set_min_proto_version(c, oldest) != 1 ||
        SSL_CTX_set_cipher_list(c, ciphers_tls1_2) != 1 || SSL_CTX_set1_groups_list(c, groups) != 1)
        return error{error_kind::internal, "cannot set up TLS: " + describe_tls_error()};
    SSL_CTX_set_options(c, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(c, 1);
    SSL_CTX_set_default_passwd_cb(c, &no_passphrase);
    return context;
}

result<void> use_certificate(SSL_CTX& context, const std::string& cert_file, const std::string& key_file) {
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(&context, cert_file.c_str()) != 1)
        return tls_file_error("cannot use the certificate", cert_file);
    // The key is checked against the certificate here: a mismatch is an error of this call.
    if (SSL_CTX_use_PrivateKey_file(&context, key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(&context) != 1)
        return tls_file_error("cannot use the key", key_file);
    return {};
}

result<x509_store_ptr> load_cas(const std::string& file) {
    ERR_clear_error();
    x509_store_ptr store{X509_STORE_new()};
    if (!store || X509_STORE_load_file(store.get(), file.c_str()) != 1)
        return tls_file_error("cannot use the CA file", file);
    return store;
}

}  // namespace sluice::net
