// Every stage there is, in one list: what a route's `stages:` may name, who reads its section, who builds it.
#pragma once

#include "governance/catalogue/model_catalogue.hpp"
#include "governance/key_table.hpp"
#include "governance/tokens/token_counters.hpp"
#include "mcp/mcp_config.hpp"
#include "pipeline/upstream.hpp"
#include "routing/model_table.hpp"

#include <sluice/config.hpp>
#include <sluice/services.hpp>
#include <sluice/stage.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sluice::app {

// What stages are built from: the worker's services and what the whole configuration made.
struct stage_parts {
    services& common;
    upstream_pool& upstreams;
    std::shared_ptr<const key_table> keys;
    std::shared_ptr<const routing::model_table> models;
    std::shared_ptr<const catalogue::model_catalogue> catalogue;
    std::shared_ptr<const tokens::token_counters> counters;  // may be null
    const mcp::mcp_config& tools;                            // sources and views
    std::string route;
    std::size_t position = 0;  // of the stage within its route
};

// Builds one stage for one worker, from the section that was read. Called for every worker and reload.
using stage_maker = std::function<std::unique_ptr<stage>(stage_parts&)>;

// The kinds for config_reader::variants; reading one appends its maker to `out`.
std::vector<config_variant> stage_variants(std::vector<stage_maker>& out);

}  // namespace sluice::app
