#include "app/stages.hpp"

#include "stages/a2a/a2a_stage.hpp"
#include "stages/auth/auth_stage.hpp"
#include "stages/ext_proc/ext_proc_stage.hpp"
#include "stages/feedback/feedback_stage.hpp"
#include "stages/http/http_stage.hpp"
#include "stages/mcp/mcp_stage.hpp"
#include "stages/pool_load/pool_load_stage.hpp"
#include "stages/quota/quota_stage.hpp"
#include "stages/relay/relay_stage.hpp"
#include "stages/rewrite/rewrite_stage.hpp"
#include "stages/route/route_stage.hpp"

namespace sluice::app {
namespace {

// One entry of the list: reads a Config and remembers how a Stage is made of it.
template <class Config, class Make>
config_variant kind(std::vector<stage_maker>& out, std::string name, std::string doc, Make make) {
    return {std::move(name), std::move(doc), [&out, make](config_reader& r) {
                auto config = std::make_shared<Config>();
                read(r, *config);
                out.push_back([config, make](stage_parts& p) -> std::unique_ptr<stage> { return make(*config, p); });
            }};
}

}  // namespace

std::vector<config_variant> stage_variants(std::vector<stage_maker>& out) {
    std::vector<config_variant> kinds;
    kinds.push_back(kind<auth::auth_config>(
        out, "auth", "Who is calling: API keys and signed tokens.",
        [](const auto& c, stage_parts& p) { return std::make_unique<auth::auth_stage>(c, p.keys, p.common); }));
    kinds.push_back(
        kind<quota::quota_config>(out, "quota", "How much a caller may use.", [](const auto& c, stage_parts& p) {
            return std::make_unique<quota::quota_stage>(c, p.route, p.common, p.position);
        }));
    kinds.push_back(kind<rewrite::rewrite_config>(
        out, "rewrite", "Changes headers, parameters and prompts.",
        [](const auto& c, stage_parts& p) { return std::make_unique<rewrite::rewrite_stage>(c, p.common); }));
    kinds.push_back(kind<ext_proc_stage::ext_proc_config>(
        out, "ext_proc", "Shows requests and replies to an external processor, which may change them.",
        [](const auto& c, stage_parts& p) { return std::make_unique<ext_proc_stage::ext_proc_stage>(c, p.common); }));
    kinds.push_back(kind<route::route_stage_config>(
        out, "route", "Finds the model's target; retries and falls back.", [](const auto& c, stage_parts& p) {
            return std::make_unique<route::route_stage>(c, p.models, route::known_models(p.catalogue, p.counters),
                                                        p.common, &p.upstreams);
        }));
    kinds.push_back(kind<feedback::feedback_config>(
        out, "feedback", "Takes what callers think of answers, for the comparison of arms.",
        [](const auto& c, stage_parts& p) { return std::make_unique<feedback::feedback_stage>(c, p.common); }));
    kinds.push_back(kind<pool_load::pool_load_config>(
        out, "pool_load", "Tells other gateways how busy a pool is.", [](const auto& c, stage_parts& p) {
            return std::make_unique<pool_load::pool_load_stage>(c, *p.models, p.common);
        }));
    kinds.push_back(
        kind<a2a::a2a_config>(out, "a2a", "Serves an A2A agent's card with the gateway's URL.",
                              [](const auto& c, stage_parts&) { return std::make_unique<a2a::a2a_stage>(c); }));
    kinds.push_back(kind<mcp_endpoint::mcp_stage_config>(
        out, "mcp", "Serves a view of tools to MCP clients.", [](const auto& c, stage_parts& p) {
            return std::make_unique<mcp_endpoint::mcp_stage>(c, p.tools, p.common, p.route, p.position);
        }));
    kinds.push_back(kind<http_upstream::http_stage_config>(
        out, "http", "Sends to one service instead of a model.",
        [](const auto& c, stage_parts& p) { return std::make_unique<http_upstream::http_stage>(c, p.common); }));
    kinds.push_back(kind<relay_config>(
        out, "relay", "Sends the request to its target and passes the answer on.",
        [](const auto& c, stage_parts& p) { return std::make_unique<relay_stage>(c, p.upstreams, p.common); }));
    return kinds;
}

}  // namespace sluice::app
