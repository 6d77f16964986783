// The operational log: what the gateway says about its own state, never about what passes through it.
//
//   telemetry::operational_log log{config.log};          // in the composition root, before all else
//   log::warn("listener {} cannot be bound: {}", name, ec.message());
//
//   static log::call_site site{.per_second = 2};         // where a client or an upstream can cause messages
//   log::limited(site, log::level::warn, "upstream {} reset the connection", provider);
//
// Every message becomes one line whatever its arguments hold: control characters are escaped, what looks like a
// credential is cut. A `sluice::secret` has no formatter, so that logging one does not compile.
#pragma once

#include "telemetry/telemetry_config.hpp"

#include <fmt/format.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace spdlog {
class logger;
namespace details {
class thread_pool;
}
}  // namespace spdlog

namespace sluice::telemetry {

// Owns the logger behind `sluice::log` and the thread that writes it. A caller never waits for the sink: past
// `config.queue` messages the oldest are dropped and counted.
class operational_log {
public:
    // Takes over `sluice::log` until it dies, which writes what is waiting. One at a time. `out` is the standard error
    // but for tests.
    explicit operational_log(const log_config& config, std::FILE* out = stderr);
    operational_log(const operational_log&) = delete;
    operational_log& operator=(const operational_log&) = delete;
    ~operational_log();

    // Thread-safe; takes effect at once, for a reload.
    void set_level(log_level level);
    std::int64_t dropped() const;  // messages that gave way to newer ones

private:
    std::shared_ptr<spdlog::details::thread_pool> thread_;
    std::shared_ptr<spdlog::logger> logger_;
    std::shared_ptr<spdlog::logger> before_;
};

}  // namespace sluice::telemetry

namespace sluice::log {

using level = telemetry::log_level;

bool enabled(level l);
// Thread-safe. Before an operational_log exists, messages go to the standard error as they are.
void write(level l, std::string_view message);

template <class... Args>
void message(level l, fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(l)) write(l, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
    message(level::debug, format, std::forward<Args>(args)...);
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
    message(level::info, format, std::forward<Args>(args)...);
}
template <class... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
    message(level::warn, format, std::forward<Args>(args)...);
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
    message(level::error, format, std::forward<Args>(args)...);
}

// The memory of one place that logs. Thread-safe; two threads at the turn of a second may let one message
// too many through.
struct call_site {
    const int per_second = 5;
    std::atomic<std::int64_t> second{-1};
    std::atomic<int> passed{0};
    std::atomic<std::int64_t> suppressed{0};  // since the last message that passed
    std::atomic<std::int64_t> suppressed_total{0};
};

// May a message pass at `second` (of any steady count)? If so, how many were held back since the last one;
// else -1, and one more is counted.
std::int64_t admit(call_site& site, std::int64_t second);
std::int64_t current_second();

// Like message(), for at most `site.per_second` messages a second; the next one that passes says how many did not.
template <class... Args>
void limited(call_site& site, level l, fmt::format_string<Args...> format, Args&&... args) {
    if (!enabled(l)) return;
    const std::int64_t held_back = admit(site, current_second());
    if (held_back < 0) return;
    std::string text = fmt::format(format, std::forward<Args>(args)...);
    if (held_back > 0) text += fmt::format(" ({} such messages held back)", held_back);
    write(l, text);
}

}  // namespace sluice::log
