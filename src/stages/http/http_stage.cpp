#include "stages/http/http_stage.hpp"

#include "http/url.hpp"
#include "routing/upstream_path.hpp"

#include <stdexcept>

namespace sluice::http_upstream {

void read(config_reader& r, http_stage_config& c) {
    r.field("url", c.upstream.base_urls, "URL of the service; several are taken in turn.", required);
    r.list("credentials", c.upstream.credentials, "Who we are there. Several are taken in turn.");
    r.field("headers", c.upstream.headers, "Set on every request.");
    r.section("timeouts", c.upstream.timeouts, "How long each step may take.");
    r.section("tls", c.upstream.tls, "Whom to trust and who we are.");
    r.section("connect", c.upstream.connect, "Proxy and allowed addresses.");
    r.field("strip_prefix", c.strip_prefix, "Taken off the request's path.");
    r.field("forward_credentials", c.forward_credentials, "Pass the client's Authorization and Cookie on.");
    routing::check_base_urls(r, "url", c.upstream.base_urls);
    const auto first =
        http::parse_url(c.upstream.base_urls.empty() ? std::string_view{} : c.upstream.base_urls.front());
    if (first) c.upstream.name = first->authority();  // names it in metrics and logs
}

http_stage::http_stage(const http_stage_config& config, services& s) : config_(config), services_(s) {
    routing::routing_config one;
    one.providers.push_back(config_.upstream);
    auto table = routing::model_table::build(one);
    if (!table) throw std::runtime_error(table.error().message);
    table_ = std::move(*table);
    upstream_ = std::make_unique<routing::provider_runtime>(*table_->providers().front(), s);
}

awaitable<void> http_stage::serve(exchange& x, next_stage next) {
    const auto now = services_.time().now();
    const auto any = [](std::size_t) { return true; };
    const auto credential = upstream_->pick_credential(now, any);
    auto endpoint = upstream_->pick_endpoint(now, true, any);
    if (!endpoint) endpoint = upstream_->pick_endpoint(now, false, any);
    upstream_target& t = x.target.emplace();
    t.endpoint = &upstream_->what().endpoints[*endpoint];
    t.headers = &upstream_->headers(credential.value_or(0));
    t.authorizer = upstream_->signer(credential.value_or(0));
    t.forward_credentials = config_.forward_credentials;
    t.path = routing::upstream_path(x.request().path(), config_.strip_prefix);
    if (t.path.empty()) t.path = "/";
    if (upstream_->signs_body(credential.value_or(0)) && !x.replayable()) {
        const auto body = co_await x.collect_body();
        if (!body) co_return x.fail(body.error());
    }
    co_await next(x);
    auto& state = upstream_->state().endpoints[*endpoint];
    const bool upstream_failed = x.failure() && traits(x.failure()->kind).whose == blame::upstream;
    if (upstream_failed) {
        if (state.failed(services_.time().now())) upstream_->ejections.add();
        upstream_->failed.add();
    } else if (!x.failure()) {
        state.succeeded();
        upstream_->ok.add();
    }
}

}  // namespace sluice::http_upstream
