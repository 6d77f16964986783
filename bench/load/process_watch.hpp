// Reads what other processes have used so far: CPU time to the nanosecond, page faults.
//
// The load generator does this itself, at the very ends of its measured window: a driver that reads
// /proc around a whole run would count connecting and warming up as work per request.
#pragma once

#include <cstdint>
#include <vector>

namespace sluice::bench {

struct process_usage {
    std::int64_t cpu_ns = 0;
    std::int64_t page_faults = 0;  // minor ones: memory fetched from the system

    process_usage operator-(const process_usage& earlier) const {
        return {cpu_ns - earlier.cpu_ns, page_faults - earlier.page_faults};
    }
};

// The sum over all threads of all `pids`. Processes that are gone count nothing.
process_usage usage_of(const std::vector<int>& pids);

}  // namespace sluice::bench
