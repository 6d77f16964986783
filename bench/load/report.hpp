// What one run of bench-load found, printed as one JSON object per line.
#pragma once

#include <cstdint>
#include <iostream>
#include <string>

#include "process_watch.hpp"
#include "samples.hpp"

namespace sluice::bench {

// Collects errors: any makes a run worthless, so one is shown as an example and the rest are counted.
class error_log {
public:
    void add(const std::string& what) {
        if (count_++ == 0) std::cerr << "bench-load: " << what << '\n';
    }
    std::uint64_t count() const { return count_; }

    // A proxy that fails everything would keep a run busy for ever.
    bool hopeless() const { return count_ > 1000; }

private:
    std::uint64_t count_ = 0;
};

struct report {
    std::uint64_t done = 0;   // requests or events completed within the measured window
    std::uint64_t total = 0;  // the same over the whole run, warming up included
    std::uint64_t reads = 0;  // reads of the load generator that brought them, within the window
    double seconds = 0;       // length of the window
    process_usage usage;      // of the watched processes, within the window
    samples delays;           // latency of requests or delay of events
    error_log errors;

    void print() {
        std::cout << "{\"done\":" << done << ",\"total\":" << total << ",\"reads\":" << reads
                  << ",\"seconds\":" << seconds << ",\"cpu_us\":" << static_cast<double>(usage.cpu_ns) / 1000.0
                  << ",\"page_faults\":" << usage.page_faults << ",\"p50_us\":" << delays.percentile_us(0.5)
                  << ",\"p90_us\":" << delays.percentile_us(0.9) << ",\"p99_us\":" << delays.percentile_us(0.99)
                  << ",\"max_us\":" << delays.percentile_us(1) << ",\"errors\":" << errors.count() << "}" << std::endl;
    }
};

}  // namespace sluice::bench
