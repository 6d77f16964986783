// The messages a gateway sends to a processor, as bytes of a ProcessingRequest. Pure functions.
#pragma once

#include "routing/ext_proc/header_mutation.hpp"
#include "routing/ext_proc/session_config.hpp"

#include <span>
#include <string>
#include <string_view>

namespace sluice::ext_proc {

// Names in lower case, values in raw_value, hop-by-hop fields left out. `subset`: endpoints that may be picked; empty:
// all. The first message of a stream announces the body modes.
std::string request_headers_message(const message_head& head, bool last, std::span<const std::string> subset,
                                    const session_config& config);
// The last one repeats the subset: pickers read it from either.
std::string request_body_message(std::string_view bytes, bool last, std::span<const std::string> subset);
// `served`: the endpoint that answered; may be empty.
std::string response_headers_message(const message_head& head, bool last, std::string_view served,
                                     const session_config* announce);
std::string response_body_message(std::string_view bytes, bool last);

}  // namespace sluice::ext_proc
