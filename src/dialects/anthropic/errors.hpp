// Errors in the form of the Messages API.
#pragma once

#include "dialects/dialect.hpp"

#include <string_view>

namespace sluice::chat::anthropic {

// Appends {"type":"error","error":{"type":...,"message":...}}. A prompt above the model's window is said in the words
// by which Anthropic's own clients know it ("prompt is too long: ...").
void write_error_body(const error_facts& e, std::string& out);
// Also reads the errors of Bedrock and Vertex AI. Never fails.
error_facts read_error_body(int status, std::string_view body);

// "overloaded_error" of a provider's type or, where that is not known, of a status.
std::string_view error_type_of(std::string_view type, int status);

}  // namespace sluice::chat::anthropic
