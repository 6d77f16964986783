// AWS Signature Version 4, headers form
// (docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
#pragma once

#include "routing/credentials.hpp"

#include <chrono>

namespace sluice::routing {

// The headers that sign a request: x-amz-date, x-amz-content-sha256, x-amz-security-token, Authorization.
// `headers` already holds what is to be signed besides host (content-type, x-amz-*). Only S3 needs the header with
// the hash of the body; the others take the signature with it or without. Pure.
void sign_sigv4(const credential_config::sigv4_config& c, std::string_view method, std::string_view host,
                std::string_view path_and_query, const std::vector<std::string_view>& body,
                std::chrono::system_clock::time_point when, header_list& headers, bool payload_header = true);

class sigv4_signer final : public signer {
public:
    sigv4_signer(credential_config::sigv4_config c, const clock& time) : config_(std::move(c)), time_(time) {}
    awaitable<result<void>> authorize(std::string_view method, std::string_view host, std::string_view path_and_query,
                                      const std::vector<std::string_view>& body, header_list& headers) override {
        sign_sigv4(config_, method, host, path_and_query, body, time_.wall(), headers);
        co_return result<void>{};
    }

private:
    credential_config::sigv4_config config_;
    const clock& time_;
};

}  // namespace sluice::routing
