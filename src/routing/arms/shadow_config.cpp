#include "routing/arms/shadow_config.hpp"

namespace sluice::routing {

void read(config_reader& r, shadow_target_config& c) {
    r.field("provider", c.provider, "Name of a provider.", required);
    r.field("model", c.model, "The model's name there; the model's own name, if absent.");
    r.json_map("body", c.body, "Parameters set on the copy.");
}

void read(config_reader& r, shadow_budget_config& c) {
    r.field("requests_per_minute", c.requests_per_minute, "Copies sent in a minute at most.", {.min = 1, .max = 1e6});
    r.field("tokens_per_day", c.tokens_per_day,
            "Tokens that copies may use in a day (UTC); the copy that crosses it is the last.",
            {.min = 1, .max = 1e12});
    r.field("max_concurrent", c.max_concurrent, "Copies under way at once at most.", {.min = 1, .max = 10000});
}

void read(config_reader& r, shadow_config& c) {
    r.section("target", c.target, "Who gets the copies.", required);
    r.field("share", c.share, "Share of the model's requests that are copied.", {.min = 0, .max = 1});
    r.section("budget", c.budget, "What copies may cost, over all workers.");
    if (c.share == 0) r.problem("share", "copies nothing", "leave `shadow` out, or write a share above 0");
}

}  // namespace sluice::routing
