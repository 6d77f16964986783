#include "process_watch.hpp"

#include <filesystem>
#include <fstream>
#include <string>

namespace sluice::bench {
namespace {

// First field of schedstat: nanoseconds on a CPU. The ticks in stat are 10 ms coarse.
std::int64_t cpu_ns(const std::filesystem::path& thread) {
    std::int64_t ns = 0;
    std::ifstream{thread / "schedstat"} >> ns;
    return ns;
}

// Field 10 of stat, counted after the command's name, which may contain spaces but ends with the last ')'.
std::int64_t page_faults(const std::filesystem::path& process) {
    std::ifstream file{process / "stat"};
    std::string line;
    std::getline(file, line);
    std::size_t at = line.rfind(')');
    for (int field = 2; field < 10 && at != std::string::npos; ++field) at = line.find(' ', at + 1);
    return at == std::string::npos ? 0 : std::stoll(line.substr(at));
}

}  // namespace

process_usage usage_of(const std::vector<int>& pids) {
    process_usage sum;
    for (const int pid : pids) {
        const std::filesystem::path process = "/proc/" + std::to_string(pid);
        std::error_code gone;
        for (const auto& thread : std::filesystem::directory_iterator{process / "task", gone}) {
            sum.cpu_ns += cpu_ns(thread.path());
        }
        sum.page_faults += page_faults(process);
    }
    return sum;
}

}  // namespace sluice::bench
