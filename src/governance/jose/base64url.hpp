// base64url without padding (RFC 7515 section 2), read strictly: one text per value and one value per text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sluice::jose {

// Nothing for padding, white space, characters of another alphabet, a length that no encoder writes, or
// unused bits that are not zero: a lenient decoder would give one token many spellings.
std::optional<std::string> base64url_decode(std::string_view text);
std::string base64url_encode(std::string_view bytes);

}  // namespace sluice::jose
