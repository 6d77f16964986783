#include "app/gateway_config.hpp"

#include <set>

namespace sluice::app {

void read(config_reader& r, listener_config& c) {
    r.field("address", c.address, "Address and port: 0.0.0.0:8080, [::]:8080.", required);
    r.section("tls", c.tls, "Certificates; plain HTTP if absent.");
    r.field("head_bytes", c.limits.head.head_bytes, "Largest request head, in bytes; over it: 431.",
            {.min = 1024, .max = 262144});
    r.field("header_fields", c.limits.head.fields, "Most header fields of a request; over it: 431.",
            {.min = 8, .max = 1000});
    r.field("target_bytes", c.limits.head.target_bytes, "Longest request target, in bytes; over it: 414.",
            {.min = 256});
    r.field("header_timeout", c.limits.header, "From a request's first byte to the end of its head.");
    r.field("idle_timeout", c.limits.idle, "Between two requests of a connection.");
    r.field("tls_timeout", c.limits.tls_handshake, "For the TLS handshake.");
    r.field("tunnel_idle_timeout", c.limits.tunnel_idle, "A WebSocket on which neither side says anything.");
    r.field("websocket_message_bytes", c.limits.websocket_message_bytes,
            "Largest message of a WebSocket to a model, over all its fragments; a larger one ends it.", {.min = 1024});
    r.field("requests_per_connection", c.limits.requests, "Then the connection closes.", {.min = 1});
    r.field("backlog", c.backlog, "Connections that wait in the kernel to be accepted.", {.min = 1});
}

void read(config_reader& r, admin_config& c) {
    r.field("address", c.address, "Address of /healthz, /readyz and /metrics; keep it off public networks.");
}

void read(config_reader& r, process_limits& c) {
    r.field("buffered_bytes", c.buffered_bytes, "Memory for bodies and reads in flight; beyond it requests get 503.",
            {.min = 1 << 20});
    r.field("connections", c.connections, "Most client connections at once; further ones are closed.", {.min = 1});
}

void read(config_reader& r, drain_config& c) {
    r.field("delay", c.delay, "Keep serving for so long after SIGTERM while /readyz says 503.");
    r.field("timeout", c.timeout, "Wait so long for running exchanges, then end them with an error.");
}

void read(config_reader& r, route_config& c) {
    r.field("name", c.name, "Names the route in metrics and logs; route-N if absent.");
    r.section("match", c.match, "Which requests; all of them, if absent.");
    r.section("limits", c.limits, "Sizes and times of its exchanges.");
    r.variants("stages", stage_variants(c.stages), "The steps of its requests, in order.", required);
}

namespace {

void check_routes(config_reader& r, std::vector<route_config>& routes) {
    std::set<std::string> names;
    for (std::size_t i = 0; i < routes.size(); ++i) {
        if (routes[i].name.empty()) routes[i].name = "route-" + std::to_string(i + 1);
        if (!names.insert(routes[i].name).second) {
            r.problem("routes[" + std::to_string(i) + "].name", "there is already a route \"" + routes[i].name + "\"");
        }
    }
}

}  // namespace

void read(config_reader& r, gateway_config& c) {
    r.field("workers", c.workers, "Threads that serve; 0: one per core.", {.min = 0, .max = 1024});
    r.list("listeners", c.listeners, "Where clients connect.", required);
    r.section("admin", c.admin, "Health, readiness and metrics.");
    r.section("limits", c.limits, "Limits of the process.");
    r.section("drain", c.drain, "What happens on SIGTERM.");
    r.section("dns", c.dns, "How names are resolved.");
    r.section("upstream_pool", c.upstream_pool, "Connections to upstreams that are kept for reuse.");
    r.section("log", c.log, "What the gateway says about its own state.");
    r.section("access_log", c.access_log, "One line per exchange.");
    r.section("tracing", c.tracing, "Spans of exchanges.");
    read(r, c.governance);
    read(r, c.routing);
    r.field("state_dir", c.state_dir,
            "Folder for what the admin API changes; without one it is forgotten when the process ends.");
    r.section("catalogue", c.catalogue, "Prices, windows and capabilities of models.");
    read(r, c.tools);
    r.list("routes", c.routes, "Matched in order: the first that matches serves.", required);
    check_routes(r, c.routes);
}

}  // namespace sluice::app
