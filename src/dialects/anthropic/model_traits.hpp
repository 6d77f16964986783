// What a Claude model takes, told from its name.
//
// The API refuses with a 400 what a model does not take, and that changes from model to model. Source: the migration
// guides and the pages on thinking and effort of Anthropic's documentation, as of November 2026.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::chat::anthropic {

struct model_traits {
    // How thinking is turned off.
    enum class off_switch : std::uint8_t {
        disabled,       // {"type":"disabled"}
        between_tools,  // {"type":"between_tools"}: Sonnet 5.5
        none,           // it cannot be
    };

    bool known = false;               // a Claude whose version the name tells
    bool adaptive = false;            // {"type":"adaptive"}: Opus 4.6, Sonnet 4.6 and later
    bool budgets = true;              // {"type":"enabled","budget_tokens":...}: all before Opus 4.7
    bool sampling = true;             // temperature, top_p, top_k: all before Opus 4.7
    bool effort = false;              // output_config.effort: Opus 4.5, and all that are adaptive
    bool effort_xhigh = false;        // ... also "xhigh": Opus 4.7 and later
    bool thinks_by_default = false;   // generation 5 and later
    bool forced_tools = true;         // tool_choice any and tool: not Opus 5.5, Sonnet 5.5, Fable 5.1 and later
    bool thinks_when_forced = false;  // ... also while thinking is asked for
    bool strict_tools = false;        // `strict` on tools: Opus 4.1, and all from 4.5 on
    off_switch off = off_switch::disabled;

    bool operator==(const model_traits&) const = default;
};

// Any spelling of any cloud: "claude-opus-4-6", "claude-3-7-sonnet-20250219", "claude-sonnet-4@20250514",
// "us.anthropic.claude-haiku-4-5-20251001-v1:0", "anthropic/claude-4.7-opus". An unknown name (another provider's model
// behind Anthropic's format) takes what the format's first models took.
model_traits traits_of_model(std::string_view name);

}  // namespace sluice::chat::anthropic
