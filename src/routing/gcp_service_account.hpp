// A Google service account's key file as a credential: "Using OAuth 2.0 for Server to Server Applications" of Google's
// identity documentation. The account signs an assertion and exchanges it for an access token at its `token_uri`.
#pragma once

#include "routing/issued_token.hpp"
#include "routing/jwt_assertion.hpp"

#include <string>
#include <string_view>

namespace sluice::routing {

// What of a key file is needed.
struct service_account {
    std::string email;      // client_email
    std::string key_id;     // private_key_id; may be empty
    std::string token_url;  // token_uri
    signing_key key;        // private_key
};

// The text of a key file. The error says which field is at fault and quotes nothing of the file.
result<service_account> parse_service_account(std::string_view json);

// From `file` or from `key`, whichever the configuration gives. Reads the file now: at most 64 KiB, a regular file.
result<service_account> load_service_account(const service_account_config& c);

// A key that stands in a file is read again at each exchange, so that it can be replaced. `time` outlives the result.
token_request service_account_token(service_account_config c, const clock& time);

}  // namespace sluice::routing
