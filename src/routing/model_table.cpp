#include "routing/model_table.hpp"
#include "http/url.hpp"
#include "net/dialer.hpp"
namespace sluice::routing {
void read(config_reader& r, credential_config& c) { r.field("api_key", c.api_key, "k"); }
void read(config_reader& r, provider_config& c) { r.field("name", c.name, "k"); r.field("dialect", c.dialect, "k"); r.field("base_url", c.base_url, "k"); r.list("credentials", c.credentials, "c"); }
void read(config_reader& r, target_config& c) { r.field("provider", c.provider, "k"); r.field("model", c.model, "m"); }
void read(config_reader& r, model_config& c) { r.field("name", c.name, "k"); r.list("targets", c.targets, "t"); }
void read(config_reader& r, routing_config& c) { r.list("providers", c.providers, "p"); r.list("models", c.models, "m"); }
result<std::shared_ptr<const model_table>> model_table::build(const routing_config& c) {
    auto t = std::make_shared<model_table>();
    for (auto& m : c.models) for (auto& p : c.providers) if (p.name == m.targets.at(0).provider) {
        auto g = std::make_shared<target>();
        auto u = http::parse_url(p.base_url);
        if (!u) return u.error();
        g->endpoint.provider = g->endpoint.name = p.name;
        g->endpoint.host = u->host; g->endpoint.port = u->port; g->endpoint.host_header = u->authority();
        g->endpoint.base_path = u->path_and_query; g->endpoint.pool_key = u->text();
        auto o = net::endpoint_options::make({});
        g->endpoint.connect_options = std::make_shared<net::transport>(net::transport{std::move(*o), nullptr});
        g->model = m.targets[0].model;
        if (!p.credentials.empty()) g->headers.add("Authorization", "Bearer " + std::string(p.credentials[0].api_key.reveal()));
        t->models[m.name] = g;
    }
    return std::shared_ptr<const model_table>(t);
}
}
