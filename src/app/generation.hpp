// One configuration in force: what was read, and what all workers' stages are built from.
#pragma once

#include "app/gateway_config.hpp"
#include "governance/catalogue/model_catalogue.hpp"
#include "governance/key_table.hpp"
#include "governance/tokens/token_counters.hpp"
#include "routing/model_table.hpp"

#include <cstdint>
#include <memory>

namespace sluice::app {

struct generation {
    std::uint64_t number = 0;
    gateway_config config;
    std::shared_ptr<const key_table> keys;
    std::shared_ptr<const routing::model_table> models;
    std::shared_ptr<const catalogue::model_catalogue> catalogue;  // empty where the configuration has none
    std::shared_ptr<const tokens::token_counters> counters;       // null where it names no ranks
};

}  // namespace sluice::app
