// The gateway's own numbers: requests, what it adds to their time, connections, upstream errors.
//
// Each struct holds the handles of one thing (a route, a listener, a provider) on one worker and is made
// once, with names from the configuration.
#pragma once

#include "telemetry/registry.hpp"

#include <sluice/error.hpp>
#include <sluice/metrics.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace sluice::telemetry {

inline constexpr double overhead_buckets[] = {0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002,
                                              0.005,   0.01,    0.025,  0.05,   0.1,    0.25};

// One route on one worker.
class route_metrics {
public:
    route_metrics(metrics& m, std::string_view route);

    void started() { active_.add(1); }
    // Once per exchange that started. `status` is the one sent, 0 when the client was gone before any; `duration`
    // runs from the head received to the last byte sent, `upstream` is the part of it spent waiting for upstreams.
    void finished(int status, std::chrono::nanoseconds duration, std::chrono::nanoseconds upstream);
    void retried() { retries_.add(); }
    void fell_back() { fallbacks_.add(); }
    void transferred(std::int64_t bytes_in, std::int64_t bytes_out);  // bodies

private:
    std::array<counter*, 6> by_class_;  // 1xx to 5xx; [0]: aborted before a status was sent
    histogram& overhead_;
    gauge& active_;
    counter& retries_;
    counter& fallbacks_;
    counter& received_;
    counter& sent_;
};

// One listener on one worker.
class listener_metrics {
public:
    enum class refusal : std::uint8_t { limit, tls, blocked };
    listener_metrics(metrics& m, std::string_view listener);

    void accepted();
    void closed() { open_.add(-1); }  // once per accepted()
    void refused(refusal why) { refused_[static_cast<std::size_t>(why)]->add(); }

private:
    counter& accepted_;
    gauge& open_;
    std::array<counter*, 3> refused_;
};

// One provider on one worker: failed attempts by error code.
class upstream_error_metrics {
public:
    upstream_error_metrics(metrics& m, std::string_view provider) : metrics_(m), provider_(provider) {}
    // The handle of a code is resolved when it first occurs, so that a healthy provider has no series.
    void count(error_kind kind);

private:
    metrics& metrics_;
    std::string provider_;
    std::array<counter*, static_cast<std::size_t>(error_kind::client_write_stall) + 1> by_kind_{};
};

// Time that one stage of a route took, the stages behind it excluded.
histogram& stage_seconds(metrics& m, std::string_view route, std::string_view stage);

// Values that other parts of the process know; see registry::computed for what the functions must keep to.
struct gateway_values {
    std::function<double()> config_generation;  // 1 at start, one more with every reload
    std::function<double()> buffered_bytes;     // of the process-wide budget
};
// sluice_config_generation, sluice_buffered_bytes and sluice_build_info.
void add_gateway_values(registry& r, gateway_values values, std::string_view version);

}  // namespace sluice::telemetry
