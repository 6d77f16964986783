// One piece of a reply on its way from the upstream to the client.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice {

// Views are valid until the call that was handed the event returns (for a sink: until the
// awaitable it returned has finished).
struct event {
    enum class form : std::uint8_t {
        piece,  // bytes of a body, cut anywhere: only `raw` is set
        sse,    // one whole server-sent event
    };
    form kind = form::piece;
    std::string_view raw;   // the exact bytes, for an SSE event with its final blank line
    std::string_view data;  // SSE: the data of the event, lines joined by '\n'; else equal to raw
    std::string_view name;  // SSE: the event's name; empty means "message"
};

}  // namespace sluice
