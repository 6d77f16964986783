// Signatures of other makers in the hands of Gemini's clients. The field is of the type bytes: SDKs decode it, refuse
// what is no base64, and write it again in the other alphabet. A tag in front of the text ("anthropic:...") would not
// survive that, so here tag and secret are base64 together.
#pragma once

#include "dialects/values.hpp"

#include <utility>

namespace sluice::chat::gemini {

// What stands in `thoughtSignature`: the secret as it is where it is Gemini's.
json_chars wrap_signature(json_chars secret, family from, text_arena& arena);

// The opposite, in either alphabet, with or without padding. `gemini` for what is not wrapped.
std::pair<json_chars, family> unwrap_signature(json_chars signature, text_arena& arena);

}  // namespace sluice::chat::gemini
