// What the admin listener answers: health, readiness, metrics.
#pragma once

#include <sluice/exchange.hpp>
#include <sluice/stage.hpp>

#include <functional>
#include <string>

namespace sluice::admin {

// Where the answers come from; called on the admin worker's thread.
struct status_sources {
    std::function<bool()> ready;
    std::function<std::string()> scrape;
};

// GET /healthz: 200 as long as the process runs. GET /readyz: 503 before the start and from the beginning of
// the drain. GET /metrics: Prometheus' text format.
class status_stage final : public stage {
public:
    explicit status_stage(status_sources sources) : sources_(std::move(sources)) {}
    std::string_view name() const override { return "status"; }
    awaitable<void> serve(exchange& x, next_stage next) override;

private:
    status_sources sources_;
};

}  // namespace sluice::admin
