// The last stage of most routes: sends the request to its target and passes the answer on.
#pragma once

#include "pipeline/relay.hpp"

#include <sluice/services.hpp>
#include <sluice/stage.hpp>

namespace sluice {

class relay_stage final : public stage {
public:
    // `pool` and `s` outlive the stage.
    relay_stage(const relay_config& config, upstream_pool& pool, services& s)
        : config_(config), pool_(pool), services_(s) {}
    std::string_view name() const override { return "relay"; }
    awaitable<void> serve(exchange& x, next_stage) override { return relay(x, pool_, config_, services_.time()); }

private:
    relay_config config_;
    upstream_pool& pool_;
    services& services_;
};

}  // namespace sluice
