// Base64 (RFC 4648), written and read, the latter strictly: one text per value and one value per text. Nothing for
// white space, characters of another alphabet, a length that no encoder writes, or unused bits that are not zero: a
// lenient decoder would give one token many spellings.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sluice {

// Section 4: + and /, padded with =.
std::optional<std::string> base64_decode(std::string_view text);
std::string base64_encode(std::string_view bytes);

// Section 5 without padding (RFC 7515 section 2): - and _.
std::optional<std::string> base64url_decode(std::string_view text);
std::string base64url_encode(std::string_view bytes);

}  // namespace sluice
