// What a request says besides the conversation itself.
#pragma once

#include "dialects/responses/part_writer.hpp"

namespace sluice::chat::responses {

// tools, tool_choice and parallel_tool_calls
result<void> write_tools(writing& x, http::json_writer& w);
// text and reasoning
void write_text_options(writing& x, http::json_writer& w);
void write_reasoning_options(writing& x, http::json_writer& w);
// Of the extra `key`, an object, its members; where they are understood.
void write_object_rest(std::string_view key, writing& x, http::json_writer& w);

}  // namespace sluice::chat::responses
