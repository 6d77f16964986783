// OAuth 2 client credentials (RFC 6749 4.4): a token fetched when needed, renewed in its last minute.
#pragma once

#include "routing/credentials.hpp"

#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <string>

namespace sluice::routing {

// One per worker and credential. Requests that need a token while it is being fetched wait for that one fetch.
class oauth2_signer final : public signer {
public:
    oauth2_signer(credential_config::oauth2_config c, std::string_view owner, services& s);
    ~oauth2_signer() override;
    awaitable<result<void>> authorize(std::string_view method, std::string_view host, std::string_view path_and_query,
                                      const std::vector<std::string_view>& body, header_list& headers) override;

private:
    struct state;  // shared with waiters, which may outlive the signer after a reload
    std::shared_ptr<state> state_;
};

}  // namespace sluice::routing
