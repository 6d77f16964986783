#include "telemetry/log.hpp"

#include "telemetry/text.hpp"

#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/sink.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <ctime>

namespace sluice::telemetry {
namespace {

constexpr std::size_t message_bytes_max = 16 << 10;

spdlog::level::level_enum spdlog_level(log_level level) {
    switch (level) {
        case log_level::trace:
            return spdlog::level::trace;
        case log_level::debug:
            return spdlog::level::debug;
        case log_level::info:
            return spdlog::level::info;
        case log_level::warn:
            return spdlog::level::warn;
        case log_level::error:
            return spdlog::level::err;
        case log_level::off:
            break;
    }
    return spdlog::level::off;
}

std::string_view name_of(spdlog::level::level_enum level) {
    switch (level) {
        case spdlog::level::trace:
            return "trace";
        case spdlog::level::debug:
            return "debug";
        case spdlog::level::info:
            return "info";
        case spdlog::level::warn:
            return "warn";
        default:
            return "error";
    }
}

std::string utc(std::chrono::system_clock::time_point time) {
    const auto ms = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
    const std::time_t second = std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time));
    std::tm parts{};
    ::gmtime_r(&second, &parts);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                       parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, ms % 1000);
}

// spdlog's own patterns write a message's line ends and escape sequences as they are.
class line_formatter final : public spdlog::formatter {
public:
    explicit line_formatter(log_format format) : format_(format) {}

    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
        const std::string text = redact({message.payload.data(), message.payload.size()});
        std::string line;
        if (format_ == log_format::json) {
            line.append("{\"time\":\"").append(utc(message.time)).append("\",\"level\":\"");
            line.append(name_of(message.level)).append("\",\"thread\":").append(std::to_string(message.thread_id));
            line += ",\"message\":";
            append_json(line, text, message_bytes_max);
            line += "}\n";
        } else {
            line.append(utc(message.time)).append(" ").append(name_of(message.level)).append(" ");
            append_plain(line, text, message_bytes_max);
            line += '\n';
        }
        out.append(line.data(), line.data() + line.size());
    }
    std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<line_formatter>(format_); }

private:
    log_format format_;
};

// Writes to a FILE of the caller's. Only the one thread of the logger calls it.
class file_sink final : public spdlog::sinks::sink {
public:
    file_sink(std::FILE* out, log_format format) : out_(out), formatter_(std::make_unique<line_formatter>(format)) {}

    void log(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t line;
        formatter_->format(message, line);
        std::fwrite(line.data(), 1, line.size(), out_);  // a failed write has nobody to be told to
        std::fflush(out_);
    }
    void flush() override { std::fflush(out_); }
    void set_pattern(const std::string&) override {}
    void set_formatter(std::unique_ptr<spdlog::formatter> f) override { formatter_ = std::move(f); }

private:
    std::FILE* out_;
    std::unique_ptr<spdlog::formatter> formatter_;
};

}  // namespace

operational_log::operational_log(const log_config& config, std::FILE* out)
    : thread_(std::make_shared<spdlog::details::thread_pool>(config.queue, 1)), before_(spdlog::default_logger()) {
    auto sink = std::make_shared<file_sink>(out, config.format);
    logger_ = std::make_shared<spdlog::async_logger>("sluice", std::move(sink), thread_,
                                                     spdlog::async_overflow_policy::overrun_oldest);
    set_level(config.level);
    spdlog::set_default_logger(logger_);
}

operational_log::~operational_log() {
    spdlog::set_default_logger(before_);
    thread_.reset();  // joins its thread after the queue was written: the sink dies with nobody inside
    logger_.reset();
}

void operational_log::set_level(log_level level) {
    logger_->set_level(spdlog_level(level));
}

std::int64_t operational_log::dropped() const {
    return static_cast<std::int64_t>(thread_->overrun_counter());
}

}  // namespace sluice::telemetry

namespace sluice::log {

bool enabled(level l) {
    return l != level::off && spdlog::default_logger_raw()->should_log(telemetry::spdlog_level(l));
}

void write(level l, std::string_view message) {
    spdlog::default_logger_raw()->log(telemetry::spdlog_level(l),
                                      spdlog::string_view_t{message.data(), message.size()});
}

std::int64_t admit(call_site& site, std::int64_t second) {
    if (site.second.exchange(second, std::memory_order_relaxed) != second) {
        site.passed.store(0, std::memory_order_relaxed);
    }
    if (site.passed.fetch_add(1, std::memory_order_relaxed) < site.per_second) {
        return site.suppressed.exchange(0, std::memory_order_relaxed);
    }
    site.suppressed.fetch_add(1, std::memory_order_relaxed);
    site.suppressed_total.fetch_add(1, std::memory_order_relaxed);
    return -1;
}

std::int64_t current_second() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

}  // namespace sluice::log
