// OAuth 2 client credentials (RFC 6749 section 4.4), by a secret or by an assertion (RFC 7523 section 2.2).
#pragma once

#include "routing/issued_token.hpp"

namespace sluice::routing {

// With `federated_token_file` the file's content is the assertion, read at each exchange: whoever wrote it (a
// Kubernetes service account's token, for Entra's workload identity) renews it.
token_request client_credentials(credential_config::oauth2_config c);

}  // namespace sluice::routing
