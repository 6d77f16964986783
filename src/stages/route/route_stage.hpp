// Finds where a request for a model goes, and where next when that fails before the client saw anything.
//
// Sets x.model, x.stream and x.target; answers GET /models itself. Each attempt starts from the same request; what it
// changed for its target is undone before the next.
#pragma once

#include "base/random.hpp"
#include "routing/attempt_plan.hpp"
#include "routing/model_table.hpp"
#include "routing/provider_runtime.hpp"
#include "stages/route/arm_desk.hpp"
#include "stages/route/known_models.hpp"
#include "stages/route/request_facts.hpp"
#include "stages/route/route_config.hpp"
#include "stages/route/shadow.hpp"
#include "stages/route/suitable_targets.hpp"
#include "stages/route/translation.hpp"

#include <sluice/exchange.hpp>
#include <sluice/services.hpp>
#include <sluice/stage.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::route {

class route_stage final : public stage {
public:
    // `s` and `pool` outlive the stage; copies for shadows are sent through the pool, without one there are none.
    // Throws std::runtime_error when the configuration names a provider that does not exist.
    route_stage(const route_stage_config& config, std::shared_ptr<const routing::model_table> models,
                known_models known, services& s, upstream_pool* pool = nullptr);

    std::string_view name() const override { return "route"; }
    awaitable<void> serve(exchange& x, next_stage next) override;

private:
    awaitable<void> serve_any(exchange& x, next_stage next);
    awaitable<void> serve_facts(exchange& x, next_stage next, request_facts facts);
    awaitable<void> serve_model(exchange& x, next_stage next, request_facts facts);
    awaitable<void> serve_provider(exchange& x, next_stage next, std::size_t provider);
    // The candidate or, where the prompt is too long for it, the next one that holds it; nothing, and x has failed,
    // when there is none.
    awaitable<std::optional<routing::candidate>> first_fitting(exchange& x, translation& asked,
                                                               routing::attempt_plan& plan, suitable_targets& suitable,
                                                               routing::candidate c);
    awaitable<void> serve_count(exchange& x, translation& asked, const tokens::bpe_counter* counter);
    // The request as any target may get it: made once, by the first who needs it. facts.api is set.
    translation& asked_in(exchange& x, const request_facts& facts, std::unique_ptr<translation>& made) const;
    awaitable<void> pause(int attempts);
    // Points the exchange at a candidate: target, model name and body as the upstream wants them.
    result<void> aim(exchange& x, const routing::candidate& c, request_facts& facts, std::string_view star,
                     std::unique_ptr<translation>& translated) const;
    // The attempt itself, its answer translated where its target speaks another dialect than the client.
    awaitable<void> attempt(exchange& x, next_stage next, translation& translated, routing::provider_runtime& at);
    // Sends a copy to the model's shadow, where it is this request's turn; x is left as it was.
    std::shared_ptr<shadow_pair> copy_to_shadow(exchange& x, const routing::model& m, request_facts facts,
                                                std::string_view star);
    static void point(exchange& x, const routing::candidate& c, std::string path);
    void unknown_model(exchange& x, std::string_view name) const;
    // Remembers what an attempt tells about its upstream, and says who is to blame if it failed.
    routing::fault learn(const exchange& x, const routing::candidate& c);

    const route_stage_config config_;
    const std::shared_ptr<const routing::model_table> models_;
    const known_models known_;
    const arm_desk desk_;
    services& services_;
    random_source random_;
    shadows shadows_;
    routing::attempt_plan::runtimes providers_;
    std::size_t default_provider_ = 0;
    bool has_default_ = false;
};

}  // namespace sluice::route
