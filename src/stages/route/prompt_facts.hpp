// What the endpoint picker wants to know of a request: read from the client's body once, for all attempts.
#pragma once

#include "routing/admission/request_class.hpp"
#include "routing/picker/request_features.hpp"
#include "routing/pools/pool_client.hpp"
#include "stages/route/request_facts.hpp"

#include <sluice/exchange.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sluice::route {

class prompt_facts {
public:
    explicit prompt_facts(const exchange& x) : x_(x) {}

    // The request as an endpoint of that pool would get it, `model` being the model's name there. Valid until the next
    // call. Prompts are only looked at for pools that go by them.
    const picker::request_features& at(routing::pool_client& pool, std::string_view model,
                                       const admission::request_class& what);

private:
    void read_prompt(const picker::prefix_scope& scope);
    void read_limits();

    const exchange& x_;
    picker::request_features features_;
    std::vector<picker::prefix_block> blocks_;
    std::uint64_t prompt_bytes_ = 0;
    std::string scope_;  // of blocks_; empty: not read yet
    bool limits_read_ = false;
};

// Headers between gateways and pickers: what a client sends of them could pin an endpoint. Removed from the request.
void strip_picker_headers(header_list& headers);

}  // namespace sluice::route
