#include "routing/gcp_service_account.hpp"

#include "config/file_text.hpp"
#include "http/url.hpp"

#include <sluice/json.hpp>

namespace sluice::routing {
namespace {

constexpr std::size_t key_file_bytes_max = 64 * 1024;

error unfit(std::string text) {
    return error{error_kind::credential, std::move(text)};
}

std::string field(const json_object& object, std::string_view name) {
    const auto value = object.find(name);
    return value ? value->string().value_or("") : std::string{};
}

}  // namespace

result<service_account> parse_service_account(std::string_view json) {
    const auto object = json_object::parse(json);
    if (!object) return unfit("is not a service account's key: a JSON object is expected");
    // The same kind of file holds other credentials, of users and of workloads elsewhere.
    if (field(*object, "type") != "service_account")
        return unfit("is not a service account's key: its type is not service_account");
    const std::string email = field(*object, "client_email"), token_url = field(*object, "token_uri");
    if (email.empty()) return unfit("is not a service account's key: client_email is missing");
    if (!http::parse_url(token_url)) return unfit("is not a service account's key: token_uri is not a URL");
    const secret pem(field(*object, "private_key"));
    if (pem.empty()) return unfit("is not a service account's key: private_key is missing");
    auto key = signing_key::from_pem(pem.reveal());
    if (!key) return unfit("its private_key " + key.error().message);
    return service_account{email, field(*object, "private_key_id"), token_url, std::move(*key)};
}

result<service_account> load_service_account(const service_account_config& c) {
    if (c.file.empty()) return parse_service_account(c.key.reveal());
    auto text = config::read_file(c.file, key_file_bytes_max);
    if (!text) return unfit("cannot be read: " + text.error().message);
    const secret json(std::move(*text));
    return parse_service_account(json.reveal());
}

token_request service_account_token(service_account_config c, const clock& time) {
    return [c = std::move(c), &time]() -> result<fetch_request> {
        const auto account = load_service_account(c);
        if (!account) return unfit("the service account's key " + account.error().message);
        const assertion_claims claims{
            .key_id = account->key_id, .issuer = account->email, .audience = account->token_url, .scope = c.scope};
        const auto assertion = sign_assertion(account->key, claims, time.wall());
        if (!assertion) return assertion.error();
        fetch_request request = token_form(account->token_url);
        append_field(request.body, "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
        append_field(request.body, "assertion", *assertion);
        return request;
    };
}

}  // namespace sluice::routing
