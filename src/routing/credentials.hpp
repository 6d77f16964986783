// Who we are to an upstream: fixed headers, a token from a file, a token that an issuer hands out
// (OAuth 2 client credentials, a Google service account), AWS SigV4.
#pragma once

#include "routing/routing_config.hpp"

#include <sluice/exchange.hpp>
#include <sluice/services.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace sluice::routing {

// An authorizer that someone owns.
class signer : public authorizer {
public:
    virtual ~signer() = default;
};

struct credential_set {
    header_list headers;             // set on every request
    std::unique_ptr<signer> signer;  // null: the headers are all
};

// `common` headers come with every credential of the provider. `owner` names what tokens are cached for.
credential_set make_credential(const credential_config& c, const header_list& common, std::string_view owner,
                               services& s);

}  // namespace sluice::routing
