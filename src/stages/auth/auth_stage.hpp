// Stage `auth`: finds out who is calling, and keeps the client's credentials from going further.
//
// It takes API keys of the configuration and signed tokens of configured issuers. A request with a wrong credential
// is refused with 401 and always the same message; one with several that differ with 400. What it found is
// `x.caller`.
#pragma once

#include "governance/key_table.hpp"
#include "stages/auth/auth_config.hpp"
#include "stages/auth/credentials.hpp"
#include "stages/auth/jwt_issuer.hpp"

#include <sluice/services.hpp>
#include <sluice/stage.hpp>

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace sluice::auth {

class auth_stage final : public stage {
public:
    // `keys` are those of the configuration that the stage is part of; `s` outlives the stage. Throws
    // std::runtime_error when an inline key set cannot be read.
    auth_stage(const auth_config& config, std::shared_ptr<const key_table> keys, services& s);
    ~auth_stage() override;

    std::string_view name() const override { return "auth"; }
    awaitable<void> serve(exchange& x, next_stage next) override;

private:
    struct counts;
    struct token_request;
    bool check_key(exchange& x, std::string_view key);
    std::optional<token_request> read_token(std::string_view text) const;
    awaitable<void> serve_token(exchange& x, next_stage next, std::unique_ptr<token_request> t);
    awaitable<void> pass(exchange& x, next_stage next);
    static void refuse(exchange& x, counter& why);
    static awaitable<void> refused(exchange& x, counter& why);

    const bool takes_keys_, optional_;
    const credential_places places_;
    const std::shared_ptr<const key_table> keys_;
    key_hasher hasher_;
    std::vector<std::unique_ptr<jwt_issuer>> issuers_;
    services& services_;
    std::unique_ptr<counts> counts_;
};

}  // namespace sluice::auth
