// The events of a streamed message.
#pragma once

#include "dialects/dialect.hpp"

#include <memory>

namespace sluice::chat::anthropic {

enum class event_wrapping : std::uint8_t {
    none,           // the event itself
    bedrock_bytes,  // {"bytes":"<the event in base64>"}
};

std::unique_ptr<stream_reader> make_stream_reader(event_wrapping wrapping);

// `call` is copied as far as it is needed.
std::unique_ptr<stream_writer> make_stream_writer(const client_call& call);

}  // namespace sluice::chat::anthropic
