// TLS as it is configured, towards clients (a listener's `tls:`) and towards upstreams (a provider's `tls:`).
#pragma once

#include <sluice/config.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace sluice::net {

enum class tls_version : std::uint8_t { tls1_2, tls1_3 };

struct tls_certificate_config {
    std::string cert_file;           // PEM: the certificate, then its intermediates
    std::string key_file;            // PEM, without a passphrase
    std::vector<std::string> names;  // host names it answers for, "*.x" included; empty: those it was issued for
};
void read(config_reader& r, tls_certificate_config& c);

struct tls_server_config {
    std::vector<tls_certificate_config> certificates;  // the first also answers for names nobody has
    tls_version min_version = tls_version::tls1_2;
    std::string client_ca;  // PEM of the CAs that client certificates must come from; empty: none is asked for
    std::string ciphers;    // OpenSSL list for TLS 1.2; empty: ECDHE with AES-GCM or ChaCha20
    std::chrono::milliseconds ticket_rotation{6 * 3'600'000};  // age at which the key of session tickets is replaced
};
void read(config_reader& r, tls_server_config& c);

struct tls_client_config {
    std::string ca_file;      // PEM of the CAs to trust; empty: those of the system
    std::string server_name;  // name for SNI and for the check of the certificate; empty: the host of the URL
    std::string cert_file;    // our own certificate, for upstreams that want one
    std::string key_file;
    tls_version min_version = tls_version::tls1_2;
    // Takes any certificate from anybody: whoever sits on the way reads prompts and keys. For tests only.
    bool insecure_skip_verify = false;
};
void read(config_reader& r, tls_client_config& c);

}  // namespace sluice::net
