// Finds where a request for a model goes, and where next when that fails before the client saw anything.
//
// Sets x.model, x.stream and x.target; answers GET /models itself. Each attempt starts from the same request; what it
// changed for its target is undone before the next.
#pragma once

#include "base/random.hpp"
#include "routing/admission/verdict.hpp"
#include "routing/attempt_plan.hpp"
#include "routing/model_table.hpp"
#include "routing/provider_runtime.hpp"
#include "stages/route/arm_desk.hpp"
#include "stages/route/known_models.hpp"
#include "stages/route/outside_pick.hpp"
#include "stages/route/prompt_facts.hpp"
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

struct placing;  // placing.hpp

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
    // Gives the candidate an endpoint if it is a pool, and `call` counts the request there; where the pool has none,
    // the next candidate. Nothing, and x has failed, when there is none. `again`: endpoints that were tried may be,
    // too.
    awaitable<std::optional<routing::candidate>> placed(placing& p, routing::candidate c, bool again);
    // The same of a pool whose picker is outside. False: it does not have one for it, and x has failed.
    awaitable<bool> place_outside(placing& p, const routing::candidate& c, const picker::request_features& features);
    // What the request is to the pool, by its headers and the pool's rules. False: they say nonsense, and x has failed.
    static bool classify(placing& p, const routing::pool_client& pool);
    // Gives the request the endpoint that the pool's own balancer chose, if there is one and it is its turn: p.call.
    admission::verdict place(placing& p, routing::pool_client& pool, const picker::request_features& features,
                             picker::pick_result& choice);
    // The same where all are busy or others wait: in the pool's queue. Chooses again for each try: `choice` is the
    // last.
    awaitable<admission::verdict> place_in_turn(placing& p, routing::pool_client& pool,
                                                const picker::request_features& features, const picker::slot_set& tried,
                                                picker::pick_result& choice);
    // The request as any target may get it: made once, by the first who needs it. facts.api is set.
    translation& asked_in(exchange& x, const request_facts& facts, std::unique_ptr<translation>& made) const;
    awaitable<void> pause(int attempts);
    // Points the exchange at a candidate: target, model name and body as the upstream wants them.
    result<void> aim(exchange& x, const routing::candidate& c, const upstream_endpoint& to, request_facts& facts,
                     std::string_view star, std::unique_ptr<translation>& translated) const;
    // The attempt itself, its answer translated where its target speaks another dialect than the client.
    // `follower`: an outside picker that sees the reply, or null.
    awaitable<void> attempt(exchange& x, next_stage next, translation& translated, routing::provider_runtime& at,
                            ext_proc::processor_client* follower);
    // The attempt at an endpoint of a pool.
    awaitable<void> call_pool(placing& p, next_stage next, const routing::candidate& c);
    // True: the picker has put its own reply in the place of the upstream's.
    static awaitable<bool> follow(exchange& x, next_stage next, ext_proc::processor_client* follower);
    // Sends a copy to the model's shadow, where it is this request's turn; x is left as it was.
    std::shared_ptr<shadow_pair> copy_to_shadow(exchange& x, const routing::model& m, request_facts facts,
                                                std::string_view star);
    static void point(exchange& x, const routing::candidate& c, const upstream_endpoint& to, std::string path);
    void unknown_model(exchange& x, std::string_view name) const;
    // Remembers what an attempt tells about its upstream, and says who is to blame if it failed.
    // `member`: the endpoint of a pool.
    routing::fault learn(const exchange& x, const routing::candidate& c, const routing::pool_member* member);
    void eject(const routing::candidate& c, const routing::pool_member* member, routing::steady_time now);

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
    bool has_pools_ = false;
};

}  // namespace sluice::route
