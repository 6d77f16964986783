// Which media type a message says it has. One answer for all: a stage that took a body for a form where another reads
// JSON would let it pass its rules.
#pragma once

#include "base/ascii.hpp"

#include <sluice/message.hpp>

#include <string_view>

namespace sluice {

// Without its parameters and the white space around it; empty when the message does not say.
inline std::string_view media_type(const header_list& headers) {
    const std::string_view value = headers.find("content-type").value_or(std::string_view{});
    return ascii::trim(value.substr(0, value.find(';')));
}

inline bool is_form(const header_list& headers) {
    return iequals(media_type(headers), "multipart/form-data");
}

}  // namespace sluice
