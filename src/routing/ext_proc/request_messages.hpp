// The messages a gateway sends to a processor, as bytes of a ProcessingRequest. Pure functions.
#pragma once

#include "routing/ext_proc/header_mutation.hpp"
#include "routing/ext_proc/session_config.hpp"

#include <span>
#include <string>
#include <string_view>

namespace sluice::ext_proc {

// What a message says beside its subject.
struct message_context {
    const session_config& config;
    bool first = false;                     // of the stream: announces the body modes
    std::span<const std::string> subset{};  // of a request: endpoints that may be picked; empty: all
};

// Names in lower case, values in raw_value; hop-by-hop fields, and those that are not to be shown, left out.
std::string request_headers_message(const message_head& head, bool last, const message_context& c);
// The last one repeats the subset: pickers read it from either.
std::string request_body_message(std::string_view bytes, bool last, const message_context& c);
// `served`: the endpoint that answered; may be empty.
std::string response_headers_message(const message_head& head, bool last, std::string_view served,
                                     const message_context& c);
std::string response_body_message(std::string_view bytes, bool last, const message_context& c);

}  // namespace sluice::ext_proc
