#include "stages/route/route_config.hpp"

#include <algorithm>

namespace sluice::route {
namespace {

void read_capabilities(config_reader& r, std::vector<catalogue::capability>& out) {
    std::vector<std::string> names;
    r.field("require", names, "What the catalogue must say that a model can; other targets are left out.");
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto& all = catalogue::capability_names;
        const auto found = std::find_if(all.begin(), all.end(), [&](const auto& c) { return c.name == names[i]; });
        if (found != all.end()) {
            out.push_back(found->value);
            continue;
        }
        std::string known;
        for (const auto& c : all) known.append(known.empty() ? "" : ", ").append(c.name);
        r.problem("require[" + std::to_string(i) + "]", "is no capability: there are " + known);
    }
}

}  // namespace

void read(config_reader& r, route_stage_config& c) {
    r.field("model", c.model, "Every request of this route is for this model, whatever its body says.");
    r.field("default_provider", c.default_provider,
            "Where requests go that name no model: files, batches, stored responses.");
    r.one_of<unsupported>(
        "on_unsupported", c.on_unsupported, {{"refuse", unsupported::refuse}, {"drop", unsupported::drop}},
        "What happens to a feature that a target of another dialect cannot take: 400, or left out and named "
        "in x-sluice-dropped.");
    read_capabilities(r, c.require);
    r.field("context_check", c.context_check,
            "Compare long prompts with the context windows of the catalogue before they are sent.");
    r.field("strip_prefix", c.strip_prefix, "Part of the path that a provider's base_url stands for.");
}

}  // namespace sluice::route
