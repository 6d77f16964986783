// Stage `pool_load`: tells other gateways how busy a pool is, so that they send here what finds no better place.
//
// Answers GET with routing/clusters/cluster_report.hpp as JSON. A stage and no page of the admin listener, because it
// is for machines of other sites: it stands behind `auth` on a listener that they reach.
#pragma once

#include "routing/model_table.hpp"
#include "routing/pools/endpoint_pool.hpp"

#include <sluice/config.hpp>
#include <sluice/exchange.hpp>
#include <sluice/services.hpp>
#include <sluice/stage.hpp>

#include <memory>
#include <string>

namespace sluice::pool_load {

struct pool_load_config {
    std::string pool;
};
void read(config_reader& r, pool_load_config& c);

class pool_load_stage final : public stage {
public:
    // Throws std::runtime_error when there is no such pool.
    pool_load_stage(const pool_load_config& config, const routing::model_table& models, services& s);
    std::string_view name() const override { return "pool_load"; }
    awaitable<void> serve(exchange& x, next_stage next) override;

private:
    std::shared_ptr<routing::endpoint_pool> pool_;
};

}  // namespace sluice::pool_load
