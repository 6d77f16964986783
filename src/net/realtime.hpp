// A session of many responses on one WebSocket (OpenAI's realtime protocol), watched as it passes.
//
// The design: frames pass as they came, through the same tunnel as any other switched protocol; a gate in each
// direction reads along. So fragments, pings, pongs, close codes and masks are faithful by construction, back-pressure
// is the await on the write, and a session holds no more than one buffer per direction, whatever the size
// of a message. A WebSocket library in the middle would end one connection and begin another: it would answer pings
// itself, put messages together in memory and send frames anew. The handshake passes likewise: the client checks the
// upstream's answer to its own key. Compression is not offered upstream, since its frames could not be read.
//
// What the gate does:
// - the rules of RFC 6455 and the size of messages: who breaks them gets Close 1002 or 1009;
// - "response.done" adds its usage to x.usage and tells x.budget; at "response.created" the budget is asked, and a
//   caller without one gets an error event and Close 1008 in place of the response;
// - when the upstream breaks off, an error event (where a message may stand) and Close 1011, never a made-up end;
// - when the session is aborted (a drain's deadline, its total time) or idle, Close 1001 to both sides.
// A Close of ours is sent only where a frame may begin, and without waiting: a side that takes nothing is cut off.
#pragma once

#include "net/tunnel.hpp"

#include <sluice/exchange.hpp>

#include <chrono>
#include <cstdint>

namespace sluice::net {

struct realtime_limits {
    std::uint64_t message_bytes = 16u << 20;  // of one message, over all its fragments
    std::chrono::milliseconds idle{300000};   // neither side says anything
    std::chrono::milliseconds grace{5000};    // for the second Close, and for the end behind it
};

// Is this switch one that run_realtime() is for: a WebSocket with a model behind it?
bool is_realtime(const exchange& x, const response_head& switched);

// Runs the session to its end. Error: bad_request (the client broke the rules), rate_limited (its budget),
// client_gone, upstream_reset, upstream_protocol; both sides were told already. Throws when the exchange is aborted.
awaitable<result<void>> run_realtime(exchange& x, tunnel_end& client, tunnel_end& upstream, buffer_pool& buffers,
                                     const realtime_limits& limits);

}  // namespace sluice::net
