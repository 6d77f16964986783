// The whole configuration file as one struct.
#pragma once

#include "app/stages.hpp"
#include "governance/catalogue/catalogue_config.hpp"
#include "governance/key_table.hpp"
#include "net/dns_config.hpp"
#include "net/session.hpp"
#include "net/tls_config.hpp"
#include "net/upstream_pool.hpp"
#include "pipeline/route_table.hpp"
#include "routing/routing_config.hpp"
#include "telemetry/telemetry_config.hpp"

#include <sluice/config.hpp>

#include <optional>
#include <string>
#include <vector>

namespace sluice::app {

struct listener_config {
    std::string address;  // "0.0.0.0:8080"
    std::optional<net::tls_server_config> tls;
    net::session_limits limits;
    int backlog = 1024;
};
void read(config_reader& r, listener_config& c);

struct admin_config {
    std::string address = "127.0.0.1:9090";
};
void read(config_reader& r, admin_config& c);

struct process_limits {
    byte_size buffered_bytes{512u << 20};  // of all bodies and reads in flight
    std::size_t connections = 50000;       // of clients, over all listeners
};
void read(config_reader& r, process_limits& c);

struct drain_config {
    std::chrono::milliseconds delay{0};        // not ready, but still serving: time for the balancer to notice
    std::chrono::milliseconds timeout{30000};  // then what is still running is cut
};
void read(config_reader& r, drain_config& c);

struct route_config {
    std::string name;
    match_config match;
    route_limits limits;
    std::vector<stage_maker> stages;
};

struct gateway_config {
    int workers = 0;  // 0: one per core
    std::vector<listener_config> listeners;
    admin_config admin;
    process_limits limits;
    drain_config drain;
    net::dns_config dns;
    net::pool_limits upstream_pool;
    telemetry::log_config log;
    telemetry::access_log_config access_log;
    telemetry::tracing_config tracing;
    governance_config governance;     // keys, key_pepper
    routing::routing_config routing;  // providers, pools, models
    std::string state_dir;            // what operators change at run time; empty: it is forgotten at the end
    catalogue::catalogue_config catalogue;
    mcp::mcp_config tools;  // tool_sources, views
    std::vector<route_config> routes;
};
void read(config_reader& r, gateway_config& c);

}  // namespace sluice::app
