// OpenAI's legacy completions (POST /completions), for clients: a prompt becomes a conversation of one message.
#pragma once

#include "dialects/dialect.hpp"

namespace sluice::chat::openai {

inline constexpr std::string_view completions_name = "openai.completions";

// `prompt` is one text: several, token numbers, `suffix`, `echo` and `best_of` are refused, as no model of another
// dialect has them. What an answer says besides text (calls, thoughts) has no place in this dialect.
const client_dialect& completions_client();

}  // namespace sluice::chat::openai
