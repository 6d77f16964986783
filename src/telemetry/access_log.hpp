// The access log: workers append lines to buffers of their own, one background thread writes them.
//
// A worker takes no lock and allocates nothing per line; a full buffer goes to the background thread through a ring
// that only these two use. A sink that stalls or fails costs lines, which are counted, and never a worker's
// time.
#pragma once

#include "telemetry/access_record.hpp"
#include "telemetry/registry.hpp"
#include "telemetry/telemetry_config.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>

namespace sluice::telemetry {

class access_log {
public:
    using time_point = std::chrono::steady_clock::time_point;
    class writer;

    // Opens the sink and starts the thread. Throws std::system_error when the sink cannot be opened; a
    // FIFO that nobody reads yet is opened again every second.
    access_log(const access_log_config& config, std::size_t workers);
    access_log(const access_log&) = delete;
    access_log& operator=(const access_log&) = delete;
    ~access_log();  // as stop()

    // The writer of worker `i`; lives as long as the log.
    writer& worker(std::size_t i);

    // Opens the path anew before the next write, after a log rotation. Any thread; not async-signal-safe. When the
    // path cannot be opened, the old file goes on being used.
    void reopen();
    // Writes what is left in all buffers, then ends the thread; when the sink stalls for `patience`, the rest is
    // dropped. Call it when the workers have ended. Idempotent.
    void stop(std::chrono::milliseconds patience = std::chrono::seconds{1});

    // Any thread.
    std::int64_t lines_written() const;
    std::int64_t lines_dropped() const;  // no free buffer, or the sink failed
    std::int64_t write_errors() const;

private:
    struct core;
    std::shared_ptr<core> core_;  // shared with the thread, which may outlive us in a write that never returns
    std::thread thread_;
};

// The end of the log that one worker holds. Used by that worker's thread only.
class access_log::writer {
public:
    struct ring;
    writer(ring& r, const access_log_config& config);

    // Adds the record's line. `now` is the time on the worker's clock.
    void append(const access_record& record, time_point now);
    // To be called a few times a second, so that the lines of a worker that fell idle are not held back: hands
    // over a buffer whose first line is older than the flush interval.
    void tick(time_point now);
    // Hands over what there is, whatever its age.
    void hand_over();

private:
    ring& ring_;
    access_line_format format_;
    const std::size_t buffer_bytes_;
    const std::chrono::milliseconds flush_interval_;
    time_point first_line_{};  // of the buffer being filled
};

// sluice_access_log_*: lines written, lines dropped, failed writes. `log` must outlive the last scrape.
void add_access_log_metrics(registry& r, const access_log& log);

}  // namespace sluice::telemetry
