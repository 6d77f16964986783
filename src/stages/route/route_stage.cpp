#include "stages/route/route_stage.hpp"
namespace sluice::route {
void read(config_reader&, route_stage_config&) {}
awaitable<void> route_stage::serve(exchange& x, next_stage next) {
    auto j = co_await x.json();
    if (!j) co_return x.fail(j.error());
    auto m = (*j)->find("model");
    auto name = m ? m->string() : std::nullopt;
    auto found = models_->models.find(name.value_or(""));
    if (found == models_->models.end()) co_return x.fail(error{error_kind::model_not_found, "no model"});
    x.model = *name;
    auto s = (*j)->find("stream");
    x.stream = s && s->boolean().value_or(false);
    x.target.emplace();
    x.target->endpoint = &found->second->endpoint;
    x.target->model = found->second->model;
    x.target->headers = &found->second->headers;
    std::string path(x.request().path());
    x.target->path = path.substr(path.find("/v1") == 0 ? 3 : 0);
    co_await next(x);
}
}
