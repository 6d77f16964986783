// What OpenSSL has to say about a failure, in words.
//
// OpenSSL keeps errors in a queue per thread, and an old entry makes SSL_get_error() report a failure that never
// happened. So: ERR_clear_error() before every SSL_ call whose outcome is read with SSL_get_error(), and every function
// here and in the tls_ files leaves the queue empty.
#pragma once

#include <sluice/result.hpp>

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <string>
#include <string_view>

namespace sluice::net {

// Takes the queue of this thread, and with a connection what its verification of the peer found. Call it right after
// the SSL_ call that failed. Empty queue and no verdict: the connection closed (errno, when set, says more). No
// secrets.
std::string describe_tls_error(const SSL* ssl = nullptr);

// For SSL_CTX_set_verify: changes no verdict, and notes for describe_tls_error() whom a refused certificate was for,
// since OpenSSL forgets a certificate that it refuses.
int note_refusal(int verdict, X509_STORE_CTX* checked);

// The error of a handshake that failed, upstream_tls: "no TLS with api.example.com: the certificate is refused: ...".
error tls_handshake_error(const SSL* ssl, std::string_view peer);

// An error of start-up or reload about a file: "cannot use /etc/x.pem: <OpenSSL's words>".
error tls_file_error(std::string_view what, std::string_view file);

}  // namespace sluice::net
