// Bytes both ways between two connections, after a protocol switch: WebSocket and the like.
#pragma once

#include "net/buffer_pool.hpp"
#include "net/stream.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::net {

// Looks at what an end received before it is passed on. Called by the tunnel, on its worker.
class tunnel_gate {
public:
    struct verdict {
        std::size_t pass = 0;  // this many of the bytes go on
        bool stop = false;     // nothing behind them does: the tunnel ends
    };
    virtual verdict see(std::string_view bytes) = 0;
    // Is the end of what is received an orderly one? If not, the tunnel ends at once, with both sockets still open.
    virtual bool may_end() const = 0;

protected:
    ~tunnel_gate() = default;
};

// Why nothing more was received from an end.
enum class tunnel_stop : std::uint8_t { none, finished, broken, gate, starved };

struct tunnel_end {
    stream& socket;
    std::string early;            // received behind the switch and not passed yet
    std::uint64_t bytes = 0;      // sent by this end
    tunnel_gate* gate = nullptr;  // everything passes when null; outlives the tunnel
    tunnel_stop why = tunnel_stop::none;
    bool half_passed = false;  // some of the last bytes reached the other end, or none, or all: nobody knows
};

// Runs until both directions ended, one broke or was stopped, or neither moved for `idle`. An end that says it will
// send no more is answered by closing the other's write side; the other direction then has `grace` to finish.
// Throws when the waiting coroutine is cancelled, after both directions have stopped.
awaitable<void> run_tunnel(tunnel_end& client, tunnel_end& upstream, buffer_pool& buffers,
                           std::chrono::milliseconds idle, std::chrono::milliseconds grace);

}  // namespace sluice::net
