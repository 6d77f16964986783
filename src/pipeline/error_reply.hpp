// An error as the client's dialect spells it: the body of an answer, or an event inside a stream.
#pragma once

#include <sluice/exchange.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

// How the errors of a client's dialect look.
enum class error_shape : std::uint8_t {
    openai,     // {"error":{"message","type","param","code"}}
    responses,  // the same; in a stream {"type":"error","code","message","param"}
    anthropic,  // {"type":"error","error":{"type","message"},"request_id"}
    gemini,     // {"error":{"code","message","status"}}
};
// By the path of the request, which says what the client speaks.
error_shape error_shape_of(std::string_view path);

// Status, body, Retry-After, WWW-Authenticate. An upstream's own error passes on as it came.
struct error_reply {
    response_head head;
    std::string body;
};
error_reply make_error_reply(const error& e, error_shape shape = error_shape::openai);

// The event that ends a broken stream: "data: {"error":{...}}\n\n", or as the shape wants it.
std::string make_error_event(const error& e, error_shape shape = error_shape::openai);

// OpenAI's form: {"error":{"message":...,"type":...,"param":...,"code":...}}
std::string openai_error_body(const error& e);

}  // namespace sluice
