// An error as the client's dialect spells it: the body of an answer, or an event inside a stream.
#pragma once

#include <sluice/exchange.hpp>

#include <string>

namespace sluice {

// Status, body, Retry-After, WWW-Authenticate. An upstream's own error passes on as it came.
struct error_reply {
    response_head head;
    std::string body;
};
error_reply make_error_reply(const error& e);

// The event that ends a broken stream: "data: {"error":{...}}\n\n".
std::string make_error_event(const error& e);

// OpenAI's form: {"error":{"message":...,"type":...,"param":...,"code":...}}
std::string openai_error_body(const error& e);

}  // namespace sluice
