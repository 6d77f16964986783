// Bytes both ways between two connections, after a protocol switch: WebSocket and the like.
#pragma once

#include "net/buffer_pool.hpp"
#include "net/stream.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace sluice::net {

struct tunnel_end {
    stream& socket;
    std::string early;        // received behind the switch and not passed yet
    std::uint64_t bytes = 0;  // sent by this end
};

// Runs until both directions ended, one broke, or neither moved for `idle`. An end that says it will send no
// more is answered by closing the other's write side; the other direction then has `grace` to finish.
// Throws when the waiting coroutine is cancelled, after both directions have stopped.
awaitable<void> run_tunnel(tunnel_end& client, tunnel_end& upstream, buffer_pool& buffers,
                           std::chrono::milliseconds idle, std::chrono::milliseconds grace);

}  // namespace sluice::net
