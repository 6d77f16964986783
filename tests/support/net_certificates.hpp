// Certificates made on the fly, so that none lies in the repository and none expires there.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace sluice::net_testing {

struct identity {
    std::string certificate;  // PEM
    std::string key;          // PEM
};

struct issue_options {
    std::vector<std::string> names;  // subject alternative names as OpenSSL writes them: "DNS:a.test", "IP:127.0.0.1"
    std::string common_name = "test";
    long from_seconds = -3600;  // relative to now
    long to_seconds = 3600;
};

class authority {
public:
    explicit authority(const std::string& name = "test authority");
    identity issue(const issue_options& options) const;
    std::string pem() const;

private:
    struct key_deleter {
        void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
    };
    struct certificate_deleter {
        void operator()(X509* p) const { X509_free(p); }
    };
    std::unique_ptr<EVP_PKEY, key_deleter> key_;
    std::unique_ptr<X509, certificate_deleter> certificate_;
};

// A folder that goes with the object.
class temporary_folder {
public:
    temporary_folder();
    ~temporary_folder();
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;

    // Writes a file by renaming it into place, as tools that rotate certificates do. Returns its path.
    std::string write(const std::string& name, const std::string& text) const;

private:
    std::filesystem::path path_;
};

}  // namespace sluice::net_testing
