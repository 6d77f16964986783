// Comma-separated lists in field values (RFC 9110 5.6.1).
#pragma once

#include "base/ascii.hpp"

#include <string_view>

namespace sluice::http {

// Takes the next element off `rest`, without the white space around it. Empty elements are skipped, as
// recipients must. False when none is left. Quoted strings are not known: for lists of tokens only.
constexpr bool next_element(std::string_view& rest, std::string_view& element) {
    while (!rest.empty()) {
        const auto comma = rest.find(',');
        element = ascii::trim(rest.substr(0, comma));
        rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
        if (!element.empty()) return true;
    }
    return false;
}

// Equal without case to a text that is written in lower case here. Inline, unlike iequals(): asked for
// every field of every head.
constexpr bool equals_lower(std::string_view text, std::string_view lower_case) {
    if (text.size() != lower_case.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (ascii::lower(text[i]) != lower_case[i]) return false;
    }
    return true;
}

}  // namespace sluice::http
