// What /proc says about this process (proc(5)), read anew at each scrape.
#include "telemetry/registry.hpp"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <sstream>

namespace sluice::telemetry {
namespace {

// Field `n` of /proc/self/stat as proc(5) counts them, from 3 on; 0 when it cannot be read. The name of the
// process, field 2, may hold spaces and parentheses: what counts stands behind the last ')'.
double stat_field(int n) {
    std::ifstream file{"/proc/self/stat"};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    const auto end_of_name = text.rfind(')');
    if (end_of_name == std::string::npos) return 0;
    std::istringstream fields{text.substr(end_of_name + 1)};
    std::string field;
    for (int i = 3; i <= n; ++i) fields >> field;
    return fields ? std::strtod(field.c_str(), nullptr) : 0;
}

double ticks_per_second() {
    return static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double cpu_seconds() {
    constexpr int utime = 14, stime = 15;
    return (stat_field(utime) + stat_field(stime)) / ticks_per_second();
}

double resident_bytes() {
    constexpr int rss_pages = 24;
    return stat_field(rss_pages) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

// Seconds since boot at which the process started, plus the time of boot.
double start_time() {
    constexpr int start_ticks = 22;
    std::ifstream file{"/proc/stat"};
    std::string word;
    while (file >> word) {
        double boot = 0;
        if (word == "btime" && file >> boot) return boot + stat_field(start_ticks) / ticks_per_second();
    }
    return 0;
}

double open_descriptors() {
    DIR* folder = ::opendir("/proc/self/fd");
    if (folder == nullptr) return 0;
    int entries = 0;
    while (::readdir(folder) != nullptr) ++entries;
    ::closedir(folder);
    return entries - 3;  // ".", ".." and the descriptor of this folder
}

double descriptors_max() {
    rlimit limit{};
    return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<double>(limit.rlim_cur) : 0;
}

}  // namespace

void add_process_metrics(registry& r) {
    constexpr int virtual_bytes = 23, threads = 20;
    using enum metric_kind;
    r.computed("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", counter, cpu_seconds);
    r.computed("process_resident_memory_bytes", "Resident memory size in bytes.", gauge, resident_bytes);
    r.computed("process_virtual_memory_bytes", "Virtual memory size in bytes.", gauge,
               [] { return stat_field(virtual_bytes); });
    r.computed("process_threads", "Number of operating system threads in the process.", gauge,
               [] { return stat_field(threads); });
    r.computed("process_open_fds", "Number of open file descriptors.", gauge, open_descriptors);
    r.computed("process_max_fds", "Maximum number of open file descriptors.", gauge, descriptors_max);
    r.computed("process_start_time_seconds", "Start time of the process since unix epoch in seconds.", gauge,
               [start = start_time()] { return start; });
    const auto began = std::chrono::steady_clock::now();
    r.computed("sluice_uptime_seconds", "Time since the gateway started.", gauge,
               [began] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(); });
}

}  // namespace sluice::telemetry
