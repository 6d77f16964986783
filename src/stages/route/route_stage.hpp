#pragma once
#include "routing/model_table.hpp"
#include <sluice/services.hpp>
#include <sluice/stage.hpp>
namespace sluice::route {
struct route_stage_config {};
void read(config_reader& r, route_stage_config& c);
class route_stage final : public stage {
public:
    route_stage(const route_stage_config&, std::shared_ptr<const routing::model_table> m, services&) : models_(std::move(m)) {}
    std::string_view name() const override { return "route"; }
    awaitable<void> serve(exchange& x, next_stage next) override;
private:
    std::shared_ptr<const routing::model_table> models_;
};
}
