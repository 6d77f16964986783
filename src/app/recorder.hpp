// Counts, logs and traces what the sessions of one worker did.
#pragma once

#include "base/random.hpp"
#include "net/session.hpp"
#include "telemetry/access_log.hpp"
#include "telemetry/gateway_metrics.hpp"
#include "telemetry/genai_metrics.hpp"
#include "telemetry/trace_exporter.hpp"

#include <sluice/metrics.hpp>
#include <sluice/services.hpp>

#include <memory>
#include <string>
#include <unordered_map>

namespace sluice::app {

class recorder final : public net::exchange_recorder {
public:
    // `log` may be null; so may `exporter`. All outlive the recorder.
    recorder(metrics& m, const clock& time, random_source& random, telemetry::access_log::writer* log,
             telemetry::trace_exporter* exporter, telemetry::sampling sampling);

    void began(exchange& x) override;
    void ended(const facts& f) override;
    void refused(std::string_view reason) override;
    void bug(std::string_view what) override;

private:
    static constexpr std::uint32_t timed_every = 16;  // exchanges, of which one shows how long its stages took

    telemetry::route_metrics& route_of(std::string_view name);
    telemetry::upstream_error_metrics& errors_of(std::string_view provider);
    void trace(const facts& f, const telemetry::access_record& record, std::string_view operation,
               clock::time_point now);

    metrics& metrics_;
    const clock& time_;
    random_source& random_;
    telemetry::access_log::writer* log_;
    telemetry::trace_exporter* exporter_;
    telemetry::sampling sampling_;
    std::uint32_t begun_ = 0;
    telemetry::genai_metrics models_;
    // Keys are names from the configuration.
    std::unordered_map<std::string_view, std::unique_ptr<telemetry::route_metrics>> routes_;
    std::unordered_map<std::string_view, std::unique_ptr<telemetry::upstream_error_metrics>> errors_;
    std::unordered_map<std::string_view, counter*> refusals_;
    std::vector<std::unique_ptr<std::string>> names_;  // what the keys point to
};

// gen_ai.operation.name of a request path: chat, text_completion, embeddings; empty for others.
std::string_view operation_of(std::string_view path);

}  // namespace sluice::app
