// Every metric of the process: one shard per worker, summed when Prometheus asks.
//
// A worker gets its own `sluice::metrics`, whose handles only that worker writes, so that an update is a plain
// add on memory no other core touches. Families are shared by name: name, kind, help, label names and buckets
// must agree wherever a family is used.
#pragma once

#include <sluice/metrics.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace sluice::telemetry {

enum class metric_kind : unsigned char { counter, gauge, histogram };

// Thread-safe. Lives longer than every handle and every reader of a handle.
class registry {
public:
    // Series that one family may have over all shards. A label set that comes after them is counted under a
    // series whose label values are all "other".
    static constexpr std::size_t series_max = 1000;

    explicit registry(std::size_t workers);
    registry(const registry&) = delete;
    registry& operator=(const registry&) = delete;
    ~registry();

    // The metrics of worker `i`, below the number given at construction. A call for a handle throws
    // std::logic_error when the family is already used in another way, or when a name breaks the
    // rules that promtool checks: a bug, found at start.
    metrics& worker(std::size_t i);
    // The metrics of background threads. A handle of it may be used by one thread only: two background threads must
    // not ask for the same name and labels.
    metrics& shared();

    // A value computed at each scrape, on the scraping thread: `value` must stay callable as long as
    // scrapes come, be thread-safe and quick. A second call with the same name and labels replaces the first.
    void computed(std::string_view name, std::string_view help, metric_kind counter_or_gauge,
                  std::function<double()> value, labels l = {});

    // All families by name in Prometheus' text format 0.0.4. Takes the lock that resolving a handle takes.
    std::string scrape() const;

private:
    class shard;
    struct state;
    std::unique_ptr<state> state_;
};

// process_*: CPU time, memory, descriptors and start time of this process, by the names that every
// Prometheus client uses; and sluice_uptime_seconds.
void add_process_metrics(registry& r);

}  // namespace sluice::telemetry
