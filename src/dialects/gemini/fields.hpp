// Errors of Gemini's clients, in their spelling.
#pragma once

#include <sluice/json.hpp>
#include <sluice/result.hpp>

#include <string>
#include <string_view>

namespace sluice::chat::gemini {

inline error wrong_type(std::string_view field, std::string_view wanted) {
    std::string text = "`" + std::string(field) + "` must be ";
    text.append(wanted).append(".");
    return error{error_kind::bad_request, std::move(text), std::string(field)};
}

}  // namespace sluice::chat::gemini
