// Base64 (RFC 4648, section 4) as it stands in JSON texts.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sluice::chat::anthropic {

// What `chars` says: the inside of a JSON string, where a slash may be written "\/". With or without padding. Nothing
// for other characters or an impossible length. Appends to `out`, which keeps its memory from call to call.
bool decode_base64(std::string_view chars, std::string& out);

}  // namespace sluice::chat::anthropic
