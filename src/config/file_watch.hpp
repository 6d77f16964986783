// Tells when the files of a configuration have changed.
//
// inotify on their folders (never on the files: editors and Kubernetes replace them), looked at once nothing has
// happened for a settle time, so that a half-written file is not loaded. Where a folder cannot be watched
// (too many watches, no such folder) the files are compared every poll interval instead. File systems of another
// machine (NFS) may change without an event: send SIGHUP there.
#pragma once

#include "config/file_state.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace sluice::config {

struct file_watch_options {
    std::chrono::milliseconds settle{100};  // quiet time before a look; ten times that at most
    std::chrono::milliseconds poll{2000};   // between looks where inotify fails
    bool use_inotify = true;
};

class file_watch {
public:
    // `changed` runs on the watch's own thread and must not throw. It may call watch(), not stop().
    // Throws std::system_error when the process has no descriptors left.
    explicit file_watch(std::function<void()> changed, file_watch_options options = {});
    ~file_watch();  // stops
    file_watch(const file_watch&) = delete;
    file_watch& operator=(const file_watch&) = delete;

    void start();
    // Returns when the thread has ended; a callback that runs is waited for. Not to be called by it.
    void stop();

    // What to compare with from now on: load_report::seen of the last load, good or bad. A file that changed
    // since that load began is noticed at once. Thread-safe, before and after start().
    void watch(file_state seen);

private:
    void run();
    void refresh_folders();
    bool drain_events();
    bool wait(int milliseconds, bool with_events);
    file_state steady(file_state fresh);
    void settle();

    const std::function<void()> changed_;
    const file_watch_options options_;
    const int wake_;     // eventfd: a new state, or the end
    const int inotify_;  // -1: not available
    std::thread thread_;

    std::mutex mutex_;  // guards the next three
    file_state wanted_;
    bool renewed_ = false;
    bool stopping_ = false;

    // Only the thread's.
    file_state seen_;
    std::map<std::string, int> folders_;  // watch descriptors; -1: failed
};

}  // namespace sluice::config
