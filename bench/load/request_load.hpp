// Plain requests: as fast as the answers come (closed loop), or at a rate fixed in advance (open loop).
#pragma once

#include <cstdint>
#include <vector>

#include "report.hpp"
#include "scenario.hpp"

namespace sluice::bench {

struct request_load {
    std::uint16_t port = 0;
    wire speaks = wire::chat;
    std::size_t connections = 64;
    std::size_t body_bytes = 1024;
    double seconds = 1.5;
    double warmup_seconds = 0.2;
    std::vector<int> watched;  // processes whose CPU time is read at both ends of the window
};

// Each connection sends its next request as soon as it has its answer.
report closed_loop(const request_load& load);

// Request i is due at start + i / rate, whether or not earlier ones are answered; its latency counts from
// then, so that a stalled proxy cannot hide the requests that it kept from being sent. A request that
// is due while no connection is free waits for the next one, and that wait counts.
report open_loop(const request_load& load, double rate);

}  // namespace sluice::bench
