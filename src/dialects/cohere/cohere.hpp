// Cohere's Chat API v2, as the gateway speaks it to Cohere (API reference as of November 2026). The base URL of such an
// upstream ends in "/v2".
#pragma once

#include "dialects/dialect.hpp"

namespace sluice::chat::cohere {

inline constexpr std::string_view dialect_name = "cohere.chat";
inline constexpr family maker_name = "cohere";

// A constant object with static storage.
const upstream_dialect& chat();

// What /chat and /embed have in common: {"message":...}, sometimes with an id.
error_facts read_cohere_error(int status, std::string_view body);

}  // namespace sluice::chat::cohere
