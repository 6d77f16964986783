// Parts and turns as Gemini has them, in requests and in answers.
#pragma once

#include "dialects/losses.hpp"
#include "http/json_writer.hpp"

#include <sluice/conversation.hpp>
#include <sluice/result.hpp>

#include <string_view>

namespace sluice::chat::gemini {

// `systemInstruction` and `contents`.
result<void> write_turns(const conversation& c, std::string_view model, losses& lost, http::json_writer& w);

// A part of an answer for a client; nothing for what has no form there.
void write_answer_part(const part& p, text_arena& arena, http::json_writer& w);
// {"functionCall":{...},"thoughtSignature":...}: `arguments` is an object. An empty id is left out.
void write_call(json id, json name, json arguments, json_chars signature, http::json_writer& w);

}  // namespace sluice::chat::gemini
