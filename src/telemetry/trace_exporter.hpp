// Sends the spans of one worker to a collector, in batches, without ever holding up an exchange.
#pragma once

#include "telemetry/otlp_batch.hpp"
#include "telemetry/telemetry_config.hpp"

#include <sluice/awaitable.hpp>
#include <sluice/fetch.hpp>
#include <sluice/metrics.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <optional>
#include <string_view>

namespace sluice::telemetry {

// May the call be repeated? By the OTLP specification after 429, 502, 503 and 504, and after no reply at all. The
// wait is the one that Retry-After asks for, at most 30 s, else one second; nothing: the spans are lost.
std::optional<std::chrono::milliseconds> retry_delay(const result<fetch_reply>& reply);

// Belongs to one worker and is used on its thread only.
class trace_exporter {
public:
    // All references must outlive the exporter. Nothing is sent when `config.endpoint` is empty.
    trace_exporter(const tracing_config& config, std::string_view version, boost::asio::any_io_executor executor,
                   fetcher& fetcher, metrics& m);

    // Takes a span of a sampled trace. Past the memory for waiting spans it is dropped and counted.
    void add(const span& s);

    // Sends until stop() was called and what was waiting then is sent or lost: every interval, or at once when a
    // batch is full. A failed call is repeated once. Spawned once by the worker; the exporter outlives it.
    awaitable<void> run();
    void stop();

private:
    fetch_request request(std::string body) const;
    awaitable<void> send(std::string body, std::size_t spans);
    awaitable<void> wait(std::chrono::milliseconds time);

    const tracing_config config_;
    fetcher& fetcher_;
    boost::asio::steady_timer timer_;
    otlp_batch batch_;
    bool stopping_ = false;
    bool waiting_for_spans_ = false;
    counter& exported_;
    counter& dropped_;  // no memory left
    counter& lost_;     // the collector did not take them
};

}  // namespace sluice::telemetry
