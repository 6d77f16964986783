// Streamed answers: many at once for a while, or thousands that have gone silent.
#pragma once

#include <cstdint>
#include <vector>

#include "report.hpp"
#include "scenario.hpp"

namespace sluice::bench {

struct stream_load {
    std::uint16_t port = 0;
    wire speaks = wire::chat;
    std::size_t streams = 64;  // at the same time, one on each connection; a stream that ended is begun anew
    stream_spec spec;
    std::size_t body_bytes = 1024;
    double seconds = 1.5;
    double warmup_seconds = 0.5;
    std::vector<int> watched;
};

// Counts events; the delay of an event runs from the stamp of the upstream to the end of the read that
// brought it. A stream that ends without all its events and [DONE] is an error.
report stream_events(const stream_load& load);

// Opens all streams, waits until each has had its first event, prints {"ready": N} and holds them until
// standard input ends. Any stream that ends meanwhile is an error.
report idle_streams(const stream_load& load);

}  // namespace sluice::bench
