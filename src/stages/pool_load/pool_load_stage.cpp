#include "stages/pool_load/pool_load_stage.hpp"

#include "routing/pools/pool_client.hpp"

#include <stdexcept>

namespace sluice::pool_load {

void read(config_reader& r, pool_load_config& c) {
    r.field("pool", c.pool, "The pool whose load is told.", required);
}

pool_load_stage::pool_load_stage(const pool_load_config& config, const routing::model_table& models, services& s) {
    for (const auto& p : models.providers()) {
        if (p->pool && p->config.name == config.pool) pool_ = routing::pool_of(*p, s);
    }
    if (pool_ == nullptr) throw std::runtime_error("pool_load: there is no pool \"" + config.pool + "\"");
}

awaitable<void> pool_load_stage::serve(exchange& x, next_stage) {
    if (x.request().method != "GET") co_return x.fail(error{error_kind::method_not_allowed, "Only GET."});
    co_await x.respond_json(200, clusters::write(pool_->load_report()));
}

}  // namespace sluice::pool_load
