// What the admin listener answers: health, readiness, metrics.
#pragma once

#include <sluice/exchange.hpp>
#include <sluice/stage.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::admin {

// Where the answers come from; called on the admin worker's thread.
struct status_sources {
    std::function<bool()> ready;
    std::function<std::string()> scrape;
    // The measured arms of a model as JSON; nothing for a model that has none. May be empty: no such page.
    std::function<std::optional<std::string>(std::string_view model)> arms;
};

// GET /healthz: 200 as long as the process runs. GET /readyz: 503 before the start and from the beginning of
// the drain. GET /metrics: Prometheus' text format. GET /models/{name}/arms: how the arms of a model compare.
class status_stage final : public stage {
public:
    explicit status_stage(status_sources sources) : sources_(std::move(sources)) {}
    std::string_view name() const override { return "status"; }
    awaitable<void> serve(exchange& x, next_stage next) override;

private:
    status_sources sources_;
};

}  // namespace sluice::admin
