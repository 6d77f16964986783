// The content of messages of chat completions.
#pragma once

#include "dialects/openai/message_reader.hpp"

#include <vector>

namespace sluice::chat::openai {

// A string, or an array of parts. `at` is the message: "messages[2]".
result<void> read_content(const json_value& v, const std::string& at, conversation& c, std::vector<part>& out);
// An entry of tool_calls. `at` is its place.
result<part> read_call(const json_value& v, const std::string& at);

}  // namespace sluice::chat::openai
