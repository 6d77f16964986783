// What a request says besides the conversation itself: tools, the form of the answer, thinking.
#pragma once

#include "dialects/responses/fields.hpp"

namespace sluice::chat::responses {

void read_tools(checker& check, json tools, const place& where, conversation& c);
// What has no canonical form (a hosted tool that must be called) becomes the extra "tool_choice".
void read_tool_choice(checker& check, const json_value& choice, const place& where, conversation& c);
// `text` and `reasoning`. Members that have no canonical form become an extra of the same name, an object.
void read_text_options(checker& check, const json_value& text, const place& where, conversation& c);
void read_reasoning_options(checker& check, const json_value& reasoning, const place& where, conversation& c);

}  // namespace sluice::chat::responses
