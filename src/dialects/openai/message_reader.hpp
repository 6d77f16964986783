// Messages and tools of chat completions, as clients send them.
#pragma once

#include <sluice/conversation.hpp>
#include <sluice/json.hpp>
#include <sluice/result.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::chat::openai {

inline constexpr std::size_t list_max = 65'536;  // messages, parts, tools

// "`stop` must be a string." With an empty name the caller puts one before it.
error wrong_type(std::string_view field, std::string_view wanted);

// Appends one message, or what a message of role tool is: a user message with a result.
result<void> read_message(const json_value& v, std::size_t index, conversation& c);
// Appends the entries of `thinking_blocks` as reasoning. Error: bad_request with the place below `at` as param.
result<void> read_thinking_blocks(json blocks, const std::string& at, std::vector<part>& out);
result<void> read_tools(const json_value& v, conversation& c);
result<void> read_tool_choice(const json_value& v, conversation& c);

}  // namespace sluice::chat::openai
