// Does an upstream's error say that the prompt is longer than the model's context window?
//
// Only OpenAI's code says it to programs; the others say it in words, which are listed in the source with who says
// them. Who asks decides where the request goes next, or tells the client by the code `context_length_exceeded`.
#pragma once

#include <string_view>

namespace sluice::chat {

// Of `body` the first 8 KiB are looked at. Letters of either case.
bool says_too_long(int status, std::string_view body);

}  // namespace sluice::chat
