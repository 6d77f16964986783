// Makes one service the target of a route: an agent, a REST service, anything that speaks HTTP.
#pragma once

#include "routing/provider_runtime.hpp"

#include <sluice/config.hpp>
#include <sluice/exchange.hpp>
#include <sluice/services.hpp>
#include <sluice/stage.hpp>

#include <memory>
#include <string>

namespace sluice::http_upstream {

struct http_stage_config {
    routing::provider_config upstream;  // url, credentials, headers, timeouts, tls, connect
    std::string strip_prefix;           // taken off the request's path
    bool forward_credentials = false;   // pass the client's Authorization and Cookie on
};
void read(config_reader& r, http_stage_config& c);

class http_stage final : public stage {
public:
    // `s` outlives the stage. Throws std::runtime_error when a certificate file cannot be read.
    http_stage(const http_stage_config& config, services& s);
    std::string_view name() const override { return "http"; }
    awaitable<void> serve(exchange& x, next_stage next) override;

private:
    const http_stage_config config_;
    std::shared_ptr<const routing::model_table> table_;  // of the one provider
    std::unique_ptr<routing::provider_runtime> upstream_;
    services& services_;
};

}  // namespace sluice::http_upstream
