#include "net/tls_config.hpp"

namespace sluice::net {

namespace {

void read_version(config_reader& r, tls_version& v) {
    r.one_of("min_version", v, {{"1.2", tls_version::tls1_2}, {"1.3", tls_version::tls1_3}},
             "Oldest protocol version that is spoken.");
}

}  // namespace

void read(config_reader& r, tls_certificate_config& c) {
    r.field("cert_file", c.cert_file, "PEM file with the certificate and its intermediates.", required);
    r.field("key_file", c.key_file, "PEM file with the private key, without a passphrase.", required);
    r.field("names", c.names, "Host names this certificate answers for; those it was issued for when empty.");
}

void read(config_reader& r, tls_server_config& c) {
    r.list("certificates", c.certificates, "Certificates; the first also answers for names that no other has.",
           {.min = 1, .max = 10'000, .need = presence::required});
    read_version(r, c.min_version);
    r.field("client_ca", c.client_ca,
            "PEM file of the CAs that client certificates must come from; none is asked for when empty.");
    r.field("ciphers", c.ciphers, "OpenSSL cipher list for TLS 1.2.");
    r.field("ticket_rotation", c.ticket_rotation, "Age at which the key of session tickets is replaced.",
            {.min = 60, .max = 7 * 86'400});
}

void read(config_reader& r, tls_client_config& c) {
    r.field("ca_file", c.ca_file, "PEM file of the CAs to trust; those of the system when empty.");
    r.field("server_name", c.server_name, "Name for SNI and the check of the certificate, instead of the URL's host.");
    r.field("cert_file", c.cert_file, "PEM file with our own certificate, for upstreams that ask for one.");
    r.field("key_file", c.key_file, "PEM file with its private key, without a passphrase.");
    read_version(r, c.min_version);
    r.field("insecure_skip_verify", c.insecure_skip_verify,
            "Accept any certificate from anybody. Whoever sits on the way reads prompts and keys: for tests only.");
    if (c.cert_file.empty() != c.key_file.empty())
        r.problem(c.cert_file.empty() ? "key_file" : "cert_file", "cert_file and key_file go together");
    if (c.insecure_skip_verify && !c.ca_file.empty())
        r.problem("insecure_skip_verify", "has no use for ca_file", "remove one of the two");
}

}  // namespace sluice::net
