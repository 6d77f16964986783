// What this gateway knows of a cluster: its last report, and how far away it is. Thread-safe without locks; the numbers
// of one report may be read beside those of the next.
#pragma once

#include "routing/clusters/cluster_report.hpp"

#include <atomic>
#include <chrono>
#include <optional>

namespace sluice::clusters {

using steady_time = std::chrono::steady_clock::time_point;

class cluster_state {
public:
    // `own_prefill`: prompt tokens of our own requests still to compute there, which the report counts, too.
    void reported(const cluster_report& r, std::int64_t own_prefill, steady_time now);
    void saw_round_trip(double seconds);

    // Seconds until the first token of a request there, `uncached` of whose prompt tokens it would have to compute:
    //   rtt + 1.5 step + (u + P / servers + queued u / servers) cp
    // with P the prompt tokens ahead: those of the report, less ours of then, plus ours of now. Nothing without a
    // report that is younger than `stale_after`.
    std::optional<double> ttft_s(double uncached, std::int64_t own_prefill, steady_time now,
                                 std::chrono::milliseconds stale_after) const;
    double round_trip_s() const { return rtt_s_.load(std::memory_order_relaxed); }
    // Seconds since the last report; negative: there is none.
    double report_age_s(steady_time now) const;
    std::int64_t servers() const { return servers_.load(std::memory_order_relaxed); }
    std::int64_t queued() const { return queued_.load(std::memory_order_relaxed); }

private:
    std::atomic<double> rtt_s_{0}, step_s_{0}, prefill_token_s_{0};
    std::atomic<std::int64_t> servers_{0}, queued_{0}, others_prefill_{0};
    std::atomic<std::int64_t> reported_at_{0};  // ticks; 0: never
};

}  // namespace sluice::clusters
