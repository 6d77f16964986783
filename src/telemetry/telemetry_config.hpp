// The parts of the configuration that say what the gateway tells about itself.
#pragma once

#include <sluice/config.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sluice::telemetry {

// access_log: one JSON line per exchange.
struct access_log_config {
    bool enabled = true;
    std::string path = "-";                         // a file or FIFO; "-" is the standard output
    bool query = false;                             // log the query string too; it may hold credentials
    byte_size buffer{64 << 10};                     // handed to the writing thread when this full
    std::size_t buffers = 8;                        // per worker; when all wait to be written, lines are dropped
    std::chrono::milliseconds flush_interval{200};  // a line is handed over this late at most
};
void read(config_reader& r, access_log_config& c);

// One header of the calls to the collector; its value is usually a credential.
struct export_header {
    std::string name;
    secret value;
};
void read(config_reader& r, export_header& h);

// tracing: spans of sampled exchanges, sent to a collector by OTLP/HTTP with JSON.
struct tracing_config {
    std::string endpoint;  // "http://127.0.0.1:4318/v1/traces"; empty: trace context is passed on, nothing exported
    double sample_ratio = 1.0;  // of the traces that begin here
    bool follow_parent = true;  // a trace that began elsewhere keeps its caller's decision; else the ratio decides
    std::string service_name = "sluice";
    std::vector<export_header> headers;
    std::size_t batch_max = 256;               // spans per call
    std::chrono::milliseconds interval{2000};  // a span waits this long at most before it is sent
    byte_size queue{4 << 20};                  // per worker, of encoded spans; past it spans are dropped and counted
    std::chrono::milliseconds timeout{5000};   // of one call
};
void read(config_reader& r, tracing_config& c);

enum class log_level : std::uint8_t { trace, debug, info, warn, error, off };
enum class log_format : std::uint8_t { json, text };

// log: what the gateway says about its own state, on the standard error.
struct log_config {
    log_level level = log_level::info;
    log_format format = log_format::text;
    std::size_t queue = 8192;  // messages waiting to be written; past it the oldest are dropped and counted
};
void read(config_reader& r, log_config& c);

}  // namespace sluice::telemetry
