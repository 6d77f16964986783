// The content of messages of chat completions.
#pragma once

#include "dialects/openai/message_reader.hpp"

#include <vector>

namespace sluice::chat::openai {

// A string, or an array of parts. `at` is the message: "messages[2]".
result<void> read_content(const json_value& v, const std::string& at, conversation& c, std::vector<part>& out);
// An entry of tool_calls. `at` is its place. The id may be empty.
result<part> read_call(const json_value& v, const std::string& at);

// What answers have in common, whole and streamed.
// `images`: [{"type":"image_url","image_url":{"url":...}}]. What is no such image is left out.
void read_images(json images, text_arena& arena, std::vector<part>& out);
// In a call's `extra_content`: a string, or empty.
json thought_signature_in(json extra_content);
// The id of a call whose server gave none: the same for whoever reads the same answer.
json make_call_id(json answer, std::int64_t choice, std::int64_t call, text_arena& arena);

}  // namespace sluice::chat::openai
