// Where the prompt lies in a request's body, in the order in which a model reads it: tools, then the system's
// instructions, then the messages. For OpenAI chat completions, completions, responses and embeddings, Anthropic
// messages and Gemini alike: their field names do not collide.
//
// The slices are the client's own bytes, not re-serialised. An array gives everything between its brackets, so that a
// body with one more message begins with the slices of the body before. Two things are left out: media in base64,
// which would count as hundreds of thousands of tokens, stands apart; and `cache_control` marks, which clients move
// from message to message while the prompt stays the same.
#pragma once

#include <sluice/json.hpp>

#include <string_view>
#include <vector>

namespace sluice::picker {

struct prompt_slice {
    std::string_view bytes;
    bool media = false;  // base64
};

// Views into body.text(). Appends to `out`, which is best reused. Costs a few us per 100 KB.
void find_prompt(const json_object& body, std::vector<prompt_slice>& out);

}  // namespace sluice::picker
