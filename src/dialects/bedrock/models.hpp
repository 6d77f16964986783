// What Bedrock's models take beyond the form that they have in common, told from the model's id.
//
// Sources: Bedrock's user guide (thinking of Claude, structured output, prompt caching), the guides of Amazon Nova,
// and Anthropic's pages on what each Claude takes, as of November 2026.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::chat::bedrock {

enum class model_maker : std::uint8_t { other, claude, nova, gpt_oss, openai };

struct model_facts {
    model_maker by = model_maker::other;
    int version = 0;                 // Claude: 407 is 4.7; what has a name instead of a number counts as 408
    bool cache_points = false;       // takes cachePoint: Claude and Nova
    bool cache_ttl = false;          // ... with a ttl: Claude
    bool strict_tools = false;       // takes toolSpec.strict
    bool reasoning_back = false;     // takes its own signed reasoning back: Claude
    bool sampling = true;            // takes temperature, topP and top_k: all but Claude from 4.7 on
    bool one_sampling = false;       // ... only one of temperature and topP: Claude
    bool forced_tools = true;        // takes toolChoice any and tool: not the latest Claudes
    bool thinks_when_forced = true;  // ... and thinks all the same: Claude from 5 on
    bool adaptive = false;           // Claude from 4.6 on: thinking {"type":"adaptive"} and output_config.effort
    bool budgets = false;            // Claude before 4.7: thinking {"type":"enabled","budget_tokens":...}
};

// "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "amazon.nova-2-lite-v1:0", ARNs that hold such an id.
model_facts facts_of_model(std::string_view id);

}  // namespace sluice::chat::bedrock
