// What choosing endpoints for one request goes by, and what came of it. Lives on the frame of route_stage::serve_model.
#pragma once

#include "routing/admission/request_class.hpp"
#include "routing/attempt_plan.hpp"
#include "stages/route/outside_pick.hpp"
#include "stages/route/prompt_facts.hpp"
#include "stages/route/request_facts.hpp"
#include "stages/route/translation.hpp"

#include <memory>
#include <optional>
#include <string_view>

namespace sluice::route {

struct placing {
    exchange& x;
    routing::attempt_plan& plan;
    request_facts& facts;
    std::string_view star;
    std::unique_ptr<translation>& translated;
    prompt_facts prompt;
    header_list class_headers = {};               // what the client said of its urgency, taken out of the request
    admission::request_class what = {};           // it is that to the pool at hand
    int hops = 0;                                 // gateways that have sent it on
    std::optional<outside_pick> outside = {};     // of the pool at hand
    std::optional<routing::pool_call> call = {};  // of the attempt at hand
    bool denied = false;                          // an outside picker has answered the client

    bool listed() const { return outside && outside->decided() == outside_pick::outcome::listed; }
};

}  // namespace sluice::route
