#include "stages/route/route_config.hpp"

namespace sluice::route {

void read(config_reader& r, route_stage_config& c) {
    r.field("model", c.model, "Every request of this route is for this model, whatever its body says.");
    r.field("default_provider", c.default_provider,
            "Where requests go that name no model: files, batches, stored responses.");
    r.one_of<unsupported>(
        "on_unsupported", c.on_unsupported, {{"refuse", unsupported::refuse}, {"drop", unsupported::drop}},
        "What happens to a feature that a target of another dialect cannot take: 400, or left out and named "
        "in x-sluice-dropped.");
    r.field("strip_prefix", c.strip_prefix, "Part of the path that a provider's base_url stands for.");
}

}  // namespace sluice::route
