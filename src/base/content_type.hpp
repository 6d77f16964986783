// Which media type a message says it has. One answer for all: a stage that took a body for a form where another reads
// JSON would let it pass its rules.
#pragma once

#include "base/ascii.hpp"

#include <sluice/message.hpp>

#include <string_view>

namespace sluice {

// Of one value, without its parameters and the white space around it.
inline std::string_view media_type(std::string_view value) {
    return ascii::trim(value.substr(0, value.find(';')));
}
// Empty when the message does not say.
inline std::string_view media_type(const header_list& headers) {
    return media_type(headers.find("content-type").value_or(std::string_view{}));
}

inline bool is_form(const header_list& headers) {
    return iequals(media_type(headers), "multipart/form-data");
}

}  // namespace sluice
