// Parts and calls of chat completions, in requests and in answers.
#pragma once

#include "dialects/losses.hpp"
#include "dialects/openai/quirks.hpp"
#include "http/json_writer.hpp"

#include <sluice/conversation.hpp>
#include <sluice/result.hpp>

#include <string>

namespace sluice::chat::openai {

// A part that is no call, no result and no reasoning. `at` is its place, for what is lost. False: it was left out.
result<bool> write_part(const part& p, const std::string& at, const conversation& c, const chat_quirks& q, losses& lost,
                        text_arena& arena, http::json_writer& w);
// An entry of tool_calls.
void write_call(const part& p, const conversation& c, text_arena& arena, http::json_writer& w);
// The same without extras, for answers.
void write_call(const tool_call& call, text_arena& arena, http::json_writer& w);

}  // namespace sluice::chat::openai
