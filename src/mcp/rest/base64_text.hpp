// Base64 with + and / and padding (RFC 4648 section 4), written.
#pragma once

#include "base/base64.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace sluice::mcp::rest {

inline std::string base64_text(std::string_view bytes) {
    std::string out = base64url_encode(bytes);
    std::replace(out.begin(), out.end(), '-', '+');
    std::replace(out.begin(), out.end(), '_', '/');
    out.append((4 - out.size() % 4) % 4, '=');
    return out;
}

}  // namespace sluice::mcp::rest
