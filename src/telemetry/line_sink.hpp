// Where lines end up: a file, a FIFO or the standard output, written by one thread that may wait.
#pragma once

#include "telemetry/wakeup.hpp"

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>

namespace sluice::telemetry {

// Not thread-safe; owned by the thread that writes.
class line_sink {
public:
    // Opens `path` for appending, creating it with mode 0640; "-" is the standard output. Throws std::system_error
    // when it cannot be opened, except for a FIFO nobody reads yet: that is tried again with later writes.
    // `interrupt` ends a wait for a sink that stalls; see write().
    line_sink(std::string path, wakeup& interrupt);
    line_sink(const line_sink&) = delete;
    line_sink& operator=(const line_sink&) = delete;
    ~line_sink();

    // Opens the path again. On failure the old descriptor stays in use; false.
    bool reopen();

    // Appends whole lines and waits as long as the sink takes. False when it failed or when `give_up` was set, which is
    // looked at after each `interrupt`. The lines are then lost, but those of the next write begin on a
    // line of their own.
    bool write(std::string_view lines, const std::atomic<bool>& give_up);

private:
    int open_path();  // a descriptor, or -1 with errno
    bool ready();     // is there a descriptor? Tries to open a FIFO again, once a second at most
    bool write_some(std::string_view& rest, const std::atomic<bool>& give_up);

    const std::string path_;
    wakeup& interrupt_;
    int fd_ = -1;
    bool regular_ = false;  // never stalls in a way that poll(2) can tell
    bool torn_ = false;     // the last line written lacks its end
    std::chrono::steady_clock::time_point next_try_{};
};

}  // namespace sluice::telemetry
