// Providers that many people use: where they are, what they speak, and where they differ from OpenAI's own
// chat/completions. `preset: deepseek` in a provider stands for all of it; what the operator writes himself wins.
#pragma once

#include <sluice/config.hpp>

#include <cstdint>
#include <span>
#include <string_view>

namespace sluice::routing {

enum class dialect : std::uint8_t;  // routing_config.hpp

// How an upstream names the limit of what it writes.
enum class token_limit : std::uint8_t { max_tokens, max_completion_tokens };
// Where an upstream puts the model's thoughts, beside `content`. none: nowhere, or in parts of the content.
enum class thoughts : std::uint8_t { none, reasoning_content, reasoning };

// Where an upstream that speaks chat/completions is not like another. The defaults are OpenAI's, and those of a
// provider without a preset. In the table a flag is set where the provider's documentation says so: a field that is
// left out costs a feature, one that is refused costs the request.
struct chat_quirks {
    token_limit max_tokens_field = token_limit::max_completion_tokens;
    bool developer_role = true;  // takes the role `developer`; else it is to be sent as `system`
    bool stream_usage = true;    // takes stream_options.include_usage; else usage comes unasked or never
    thoughts reasoning_field = thoughts::none;
    bool json_schema = true;          // takes response_format of type json_schema
    bool strict_tools = true;         // takes `strict` in the function of a tool
    bool parallel_tool_calls = true;  // takes the flag of that name
    bool top_k = false;               // takes top_k
};

struct preset {
    std::string_view name;
    std::string_view base_url;
    dialect speaks;
    chat_quirks quirks;
};

// All of them, in the order of the manual. Lives as long as the process.
std::span<const preset> presets();

// Reads the key `preset` of the provider at hand. nullptr: there is none, or an unknown one, which is then a problem
// that names the nearest.
const preset* read_preset(config_reader& r);

}  // namespace sluice::routing
