// How servers of chat completions differ from OpenAI's own. The defaults are OpenAI's. A flag is set where a provider's
// documentation says so: a field that is left out costs a feature, one that is refused costs the request.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::chat::openai {

struct chat_quirks {
    enum class reasoning : std::uint8_t { none, content, plain };  // reasoning_content, reasoning

    std::string_view max_tokens_field = "max_completion_tokens";  // or "max_tokens"
    bool developer_role = true;                                   // else it becomes system
    bool stream_usage = true;                                     // takes stream_options.include_usage
    reasoning history = reasoning::none;                          // where earlier reasoning is sent back
    bool json_schema = true;                                      // takes response_format json_schema
    bool strict_tools = true;                                     // takes strict in a function
    bool parallel_flag = true;                                    // takes parallel_tool_calls
    bool top_k = false;                                           // takes top_k, min_p, repetition_penalty
    bool cache_control = false;                                   // takes cache_control in parts
    bool operator==(const chat_quirks&) const = default;
};

}  // namespace sluice::chat::openai
