// Measures how long a stage takes, the stages behind it and waiting for upstreams excluded.
//
// Stands around each stage of a route. On an exchange that is not measured it costs a virtual call.
#pragma once

#include "telemetry/gateway_metrics.hpp"

#include <sluice/exchange.hpp>
#include <sluice/services.hpp>
#include <sluice/stage.hpp>

#include <memory>
#include <string_view>
#include <utility>

namespace sluice::app {

class timed_stage final : public stage {
public:
    // `m` and `time` outlive the stage.
    timed_stage(std::unique_ptr<stage> inner, metrics& m, const clock& time, std::string_view route)
        : inner_(std::move(inner)), time_(time), seconds_(telemetry::stage_seconds(m, route, inner_->name())) {}

    std::string_view name() const override { return inner_->name(); }
    awaitable<void> serve(exchange& x, next_stage next) override {
        return x.timed ? measure(x, next) : inner_->serve(x, next);
    }

private:
    // An exchange that is aborted leaves by exception and is not counted.
    awaitable<void> measure(exchange& x, next_stage next) {
        const auto outer = std::exchange(x.inner_time, {});
        const auto from = time_.now();
        const auto waited = x.upstream_time;
        co_await inner_->serve(x, next);
        const auto all = (time_.now() - from) - (x.upstream_time - waited);
        seconds_.observe(std::chrono::duration<double>(all - x.inner_time).count());
        x.inner_time = outer + all;
    }

    std::unique_ptr<stage> inner_;
    const clock& time_;
    histogram& seconds_;
};

}  // namespace sluice::app
