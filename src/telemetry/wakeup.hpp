// Wakes one thread that waits in poll(2).
#pragma once

#include <chrono>

namespace sluice::telemetry {

// Counts nothing: any number of raise() before a wait() wake it once. Thread-safe.
class wakeup {
public:
    wakeup();  // throws std::system_error when the process has no descriptor left
    wakeup(const wakeup&) = delete;
    wakeup& operator=(const wakeup&) = delete;
    ~wakeup();

    void raise();  // one system call; never blocks
    // Waits for a raise() since the last wait() or consume(). False when `timeout` passed; negative: no limit.
    bool wait(std::chrono::milliseconds timeout);
    void consume();
    int descriptor() const { return fd_; }  // readable after raise(), for a poll(2) of the owner's

private:
    int fd_;
};

}  // namespace sluice::telemetry
