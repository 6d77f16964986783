// What contexts towards clients and towards upstreams have in common.
#pragma once

#include "net/tls_config.hpp"
#include "net/tls_handles.hpp"

#include <sluice/result.hpp>

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace sluice::net {

// Tells whether a file was replaced or rewritten. A symlink is followed, so that a switched one shows too.
struct file_stamp {
    dev_t device = 0;
    ino_t inode = 0;
    off_t bytes = -1;  // -1: no such file
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;

    static file_stamp of(const std::string& path);
    bool operator==(const file_stamp&) const = default;
};

// A context with what both sides want: the versions and cipher suites of today, no compression, no renegotiation,
// buffers given back while idle, partial writes. It reads ahead: one system call takes the record's head and its body,
// or several records. Bytes may thus wait inside OpenSSL while the socket is empty, so read until WANT_READ before
// waiting for the socket. Writing to a connection the peer closed raises SIGPIPE (OpenSSL uses write()): the process
// ignores that signal.
result<ssl_ctx_ptr> new_tls_context(const SSL_METHOD* method, tls_version min_version);

// The certificate with its chain and its key, which must belong together. Errors name the file. A key with a passphrase
// is an error, never a prompt.
result<void> use_certificate(SSL_CTX& context, const std::string& cert_file, const std::string& key_file);

// The CAs in a PEM file.
result<x509_store_ptr> load_cas(const std::string& file);

}  // namespace sluice::net
