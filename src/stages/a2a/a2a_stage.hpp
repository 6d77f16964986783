// Serves an A2A agent (Agent2Agent protocol) behind the gateway: its card says the gateway's URL, everything else
// passes. Stands before `http`, which sends to the agent.
#pragma once

#include "stages/a2a/agent_card.hpp"

#include <sluice/config.hpp>
#include <sluice/exchange.hpp>
#include <sluice/stage.hpp>

namespace sluice::a2a {

struct a2a_config {
    card_changes changes;
};
void read(config_reader& r, a2a_config& c);

class a2a_stage final : public stage {
public:
    explicit a2a_stage(const a2a_config& config) : config_(config) {}
    std::string_view name() const override { return "a2a"; }
    awaitable<void> serve(exchange& x, next_stage next) override;

private:
    enum class asked : std::uint8_t { other, card, card_result };
    // What a request asks for. Error: bad_request for a JSON-RPC call that is no JSON object.
    awaitable<result<asked>> what_is_asked(exchange& x) const;
    awaitable<void> serve_card(exchange& x, next_stage next, asked form);
    const a2a_config config_;
};

}  // namespace sluice::a2a
