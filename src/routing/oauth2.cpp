#include "routing/oauth2.hpp"

#include "config/file_text.hpp"

namespace sluice::routing {
namespace {

constexpr std::size_t assertion_bytes_max = 16 * 1024;

// A file's token without the line end that editors and `echo` leave behind it.
result<secret> read_assertion(const std::string& path) {
    auto text = config::read_file(path, assertion_bytes_max);
    if (!text) return error{error_kind::credential, "the federated token file cannot be read: " + text.error().message};
    const auto end = text->find_last_not_of(" \t\r\n");
    text->resize(end == std::string::npos ? 0 : end + 1);
    if (text->empty()) return error{error_kind::credential, "the federated token file is empty"};
    return secret(std::move(*text));
}

}  // namespace

token_request client_credentials(credential_config::oauth2_config c) {
    return [c = std::move(c)]() -> result<fetch_request> {
        fetch_request request = token_form(c.token_url);
        append_field(request.body, "grant_type", "client_credentials");
        append_field(request.body, "client_id", c.client_id);
        append_field(request.body, "client_secret", c.client_secret.reveal());
        if (!c.federated_token_file.empty()) {
            const auto assertion = read_assertion(c.federated_token_file);
            if (!assertion) return assertion.error();
            append_field(request.body, "client_assertion_type",
                         "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
            append_field(request.body, "client_assertion", assertion->reveal());
        }
        append_field(request.body, "scope", c.scope);
        append_field(request.body, "audience", c.audience);
        return request;
    };
}

}  // namespace sluice::routing
