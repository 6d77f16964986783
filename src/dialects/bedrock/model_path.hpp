// A model's id or ARN as one segment of a path.
#pragma once

#include "base/ascii.hpp"

#include <string>
#include <string_view>

namespace sluice::chat::bedrock {

// Everything but RFC 3986's unreserved characters is escaped: the ':' of versions and the '/' of ARNs too.
inline std::string path_segment(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        if (ascii::is_digit(c) || ascii::is_alpha(c) || std::string_view("-._~").find(c) != std::string_view::npos) {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out.append({'%', digits[byte >> 4U], digits[byte & 0xfU]});
        }
    }
    return out;
}

}  // namespace sluice::chat::bedrock
