#include "support/net_certificates.hpp"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace sluice::net_testing {

namespace {

void need(bool fine) {
    if (!fine) throw std::runtime_error("OpenSSL cannot make a test certificate");
}

template <class Write>
std::string pem_of(Write write) {
    BIO* memory = BIO_new(BIO_s_mem());
    need(memory != nullptr && write(memory) == 1);
    char* data = nullptr;
    const long size = BIO_get_mem_data(memory, &data);
    std::string text(data, static_cast<std::size_t>(size));
    BIO_free(memory);
    return text;
}

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    need(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

X509* unsigned_certificate(EVP_PKEY* key, const std::string& common_name, long from, long to) {
    X509* c = X509_new();
    need(c != nullptr && X509_set_version(c, X509_VERSION_3) == 1);
    std::uint32_t serial = 0;
    need(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(c), serial);
    X509_gmtime_adj(X509_getm_notBefore(c), from);
    X509_gmtime_adj(X509_getm_notAfter(c), to);
    X509_set_pubkey(c, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
    return c;
}

}  // namespace

authority::authority(const std::string& name) : key_(EVP_EC_gen("P-256")) {
    need(key_ != nullptr);
    certificate_.reset(unsigned_certificate(key_.get(), name, -86400, 86400));
    X509_set_issuer_name(certificate_.get(), X509_get_subject_name(certificate_.get()));
    extend(certificate_.get(), certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
    extend(certificate_.get(), certificate_.get(), NID_subject_key_identifier, "hash");
    need(X509_sign(certificate_.get(), key_.get(), EVP_sha256()) > 0);
}

identity authority::issue(const issue_options& options) const {
    const std::unique_ptr<EVP_PKEY, key_deleter> key(EVP_EC_gen("P-256"));
    need(key != nullptr);
    const std::unique_ptr<X509, certificate_deleter> c(
        unsigned_certificate(key.get(), options.common_name, options.from_seconds, options.to_seconds));
    X509_set_issuer_name(c.get(), X509_get_subject_name(certificate_.get()));
    std::string names;
    for (const auto& name : options.names) names += (names.empty() ? "" : ",") + name;
    if (!names.empty()) extend(c.get(), certificate_.get(), NID_subject_alt_name, names);
    need(X509_sign(c.get(), key_.get(), EVP_sha256()) > 0);
    identity made;
    made.certificate = pem_of([&](BIO* b) { return PEM_write_bio_X509(b, c.get()); });
    made.key =
        pem_of([&](BIO* b) { return PEM_write_bio_PrivateKey(b, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
    return made;
}

std::string authority::pem() const {
    return pem_of([&](BIO* b) { return PEM_write_bio_X509(b, certificate_.get()); });
}

temporary_folder::temporary_folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sluice-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = pattern;
}

temporary_folder::~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string temporary_folder::write(const std::string& name, const std::string& text) const {
    const auto part = path_ / (name + ".part");
    std::ofstream(part) << text;
    std::filesystem::rename(part, path_ / name);
    return (path_ / name).string();
}

}  // namespace sluice::net_testing
