// Stage `quota`: keeps callers within their requests and tokens per time and their requests at a time.
//
// A request must pass every rule. Tokens are reserved by an estimate before the upstream is called and corrected to
// what was used when the reply is over: what was too much comes back, what was too little is owed. The
// counters belong to the process: all workers see them, and a reload keeps them.
#pragma once

#include "stages/quota/quota_config.hpp"
#include "stages/quota/quota_rule.hpp"
#include "stages/quota/token_estimate.hpp"

#include <sluice/services.hpp>
#include <sluice/stage.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::quota {

class admission;

class quota_stage final : public stage {
public:
    // `route` is the name of the route and `position` tells the route's quota stages apart: together they name the
    // counters of rules that have no name of their own. `s` outlives the stage. Throws std::invalid_argument for
    // more limits than read() lets through.
    quota_stage(const quota_config& config, const std::string& route, services& s, std::size_t position = 0);

    std::string_view name() const override { return "quota"; }
    awaitable<void> serve(exchange& x, next_stage next) override;

private:
    awaitable<void> serve_waiting(exchange& x, next_stage next);
    awaitable<void> admit_json(exchange& x, next_stage next, const json_object* json);
    awaitable<void> admit(exchange& x, next_stage next, token_estimate tokens, std::string model);

    const quota_config config_;
    services& services_;
    std::vector<quota_rule> rules_;
    bool reads_body_ = false;  // some rule counts tokens or asks for the model
};

}  // namespace sluice::quota
