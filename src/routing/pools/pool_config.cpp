#include "routing/pools/pool_config.hpp"

#include "http/url.hpp"
#include "routing/signals/server_report.hpp"

#include <sluice/message.hpp>

namespace sluice::routing {
namespace {

void read_rates(config_reader& r, picker::step_rates& c) {
    const auto microseconds = [&](std::string_view key, double& seconds, std::string_view doc) {
        double us = seconds * 1e6;
        r.field(key, us, doc, {.min = 0, .max = 1e9});
        seconds = us / 1e6;
    };
    microseconds("step_us", c.c0_s, "Microseconds of a step of the engine, until it is learned.");
    microseconds("prefill_token_us", c.cp_s, "Of a prompt token in a step.");
    microseconds("sequence_us", c.cd_s, "Of a running answer in a step.");
    microseconds("context_token_us", c.ckv_s, "Of a token of its context.");
}

// Which servers there are must come from somewhere else than the manifest.
void check_inference_pool(config_reader& r, const pool_config& c) {
    const inference_pool_config& from = *c.from;
    if (!from.dns.empty() && c.dns) r.problem("inference_pool.dns", "the pool has `dns` already", "leave one out");
    const bool passes = c.service && c.service->destinations == ext_proc::destination_mode::passthrough;
    if (r.has("endpoints") || !c.endpoints_file.empty() || c.dns || passes) return;
    if (from.addresses.empty() && from.addresses_file.empty() && from.dns.empty()) {
        r.problem("inference_pool", "does not say where the model servers are: the manifest's selector needs a cluster",
                  "addresses, addresses_file or dns");
    }
}

// What is dialled at a picker's word is dialled in the clear: it must not be where the pool's servers expect TLS.
void check_passthrough(config_reader& r, const pool_config& c) {
    if (c.service->destinations != ext_proc::destination_mode::passthrough) return;
    bool tls = c.dns && c.dns->tls;
    for (const endpoint_config& e : c.endpoints) tls |= e.url.starts_with("https:");
    if (tls) r.problem("picker_service.destination", "passthrough is by plain HTTP: this pool's servers speak TLS");
}

}  // namespace

void read(config_reader& r, endpoint_config& c) {
    r.field("url", c.url, "URL of the server, without the API's path: http://10.0.0.1:8000.", required);
    r.field("id", c.id, "Names it in the admin API, metrics and logs; host:port if absent.");
    r.field("labels", c.labels, "For outside pickers and for you.");
    r.field("weight", c.weight, "Share of the balancers that go by weight.", {.min = 0, .max = 1000});
    r.field("max_requests", c.max_requests, "Most requests of ours at once; 0: no limit.", {.min = 0});
    r.field("kv_tokens", c.kv_tokens, "Tokens its KV cache holds; from its metrics, else the pool's, if absent.",
            {.min = 0});
    r.section("cluster", c.cluster, "It is a gateway with model servers of its own: another cluster.");
    r.field("standby", c.standby, "Used only while no other endpoint is ready.");
    if (const auto url = http::parse_url(c.url); !c.url.empty() && !url) {
        r.problem("url", url.error().message);
    } else if (url && url->path_and_query.find('?') != std::string::npos) {
        r.problem("url", "a path is put behind this URL: it cannot have a query");
    }
    if (c.id.size() > 128 || c.id.find_first_of("/?#% \t") != std::string::npos) {
        r.problem("id", "is at most 128 characters, none of / ? # % or a space",
                  "leave it out: host:port is the default");
    }
}

void read(config_reader& r, check_config& c) {
    r.field("path", c.path, "GET of it must be 2xx; \"\" checks nothing: a server is ready when it is known.");
    r.field("interval", c.interval, "Between two checks of a server.", {.min = 0.1});
    r.field("timeout", c.timeout, "For one check.", {.min = 0.01});
    r.field("unhealthy_after", c.unhealthy_after, "Failed checks in a row that make it not ready.", {.min = 1});
    r.field("healthy_after", c.healthy_after, "Good checks in a row that make it ready.", {.min = 1});
    r.field("failed_after", c.failed_after, "So long not ready, and it is checked ten times less often.");
    r.field("model_list", c.model_list, "Read the server's models, too: LoRA adapters, and whether `model` is there.");
    r.field("model", c.model, "A model that the server must list to be ready; any, if absent.");
    if (!c.path.empty() && !c.path.starts_with('/')) r.problem("path", "begins with a /");
}

void read(config_reader& r, load_report_config& c) {
    r.field("path", c.path, "Prometheus metrics of the server; \"\" polls nothing.");
    r.field("interval", c.interval, "Between two polls of a server.", {.min = 0.05});
    r.field("timeout", c.timeout, "For one poll.", {.min = 0.01});
    r.field("stale_after", c.stale_after, "Older reports are not looked at.", {.min = 0.1});
    r.field("names", c.names,
            "Signal (running, waiting, kv_use, kv_tokens) to the name of its metric, where it is none of the known.");
    for (const auto& [signal, metric] : c.names) {
        if (!signals::is_signal(signal))
            r.problem("names", "\"" + signal + "\" is no signal", "running, waiting, kv_use and kv_tokens are");
    }
    if (!c.path.empty() && !c.path.starts_with('/')) r.problem("path", "begins with a /");
}

void read(config_reader& r, dns_source_config& c) {
    r.field("name", c.name, "Each of its addresses is an endpoint.", required);
    std::uint16_t port = c.ports.front();
    r.field("port", port, "Of the servers.", {.min = 1});
    c.ports = {port};
    r.field("tls", c.tls, "Do they speak TLS?");
    r.field("interval", c.interval, "Between two look-ups.", {.min = 1});
}

void read(config_reader& r, picker_config& c) {
    read_rates(r, c.rates);
    r.field("kv_tokens", c.kv_tokens, "Tokens that a server's KV cache holds, where its metrics do not say.",
            {.min = 1});
    r.one_of<prefix_isolation>("isolation", c.isolation,
                               {{"none", prefix_isolation::none}, {"tenant", prefix_isolation::tenant}},
                               "tenant: prompts of different tenants are never taken to share a prefix.");
    r.field("index_bytes", c.index_bytes, "Memory of the prefix index.", {.min = 1 << 20, .max = 1e9});
    r.field("endpoints", c.endpoints, "Most endpoints of the pool; takes effect at a restart.", {.min = 1, .max = 256});
}

void read(config_reader& r, picker_callout_config& c) {
    r.field("url", c.url, "Asked by POST for each request.", required);
    r.field("timeout", c.timeout, "Then the pool's own balancer chooses.", {.min = 0.001});
    r.field("headers", c.headers, "Headers of the request that it is told.");
    r.field("cache_header", c.cache_header, "Answers are kept, for as long as they say, by the value of this header.");
    if (const auto url = http::parse_url(c.url); !c.url.empty() && !url) r.problem("url", url.error().message);
    if (!c.cache_header.empty() && !valid_header_name(c.cache_header)) r.problem("cache_header", "is no header's name");
}

void read_pool(config_reader& r, pool_config& c) {
    r.list("endpoints", c.endpoints, "The servers, where they are known here.");
    r.field("endpoints_file", c.endpoints_file, "A file with `endpoints:`, read again when it changes.");
    r.section("dns", c.dns, "A name whose addresses are the servers.");
    r.section("inference_pool", c.from, "Manifests of the Gateway API inference extension that describe the pool.");
    r.field("api_path", c.api_path, "Path of the API behind a server's URL.");
    r.one_of<balancing>("balancer", c.by,
                        {{"picker", balancing::picker},
                         {"round_robin", balancing::round_robin},
                         {"least_request", balancing::least_request},
                         {"two_choices", balancing::two_choices},
                         {"peak_ewma", balancing::peak_ewma},
                         {"hash", balancing::hash},
                         {"session", balancing::session}},
                        "Who chooses: picker goes by predicted cost, the others by less.");
    r.field("session_header", c.session_header, "Header that names a session.");
    r.section("check", c.check, "How the gateway finds out whether a server is well.");
    r.section("load", c.load, "What servers say of their load.");
    r.section("picker_service", c.service, "A picker outside the gateway that chooses instead (Envoy ext-proc).");
    r.section("picker_callout", c.callout, "A service of your own that orders the endpoints, by HTTP.");
    if (c.service && c.callout) r.problem("picker_callout", "a pool has one outside picker");
    if (c.service && !r.has("inference_pool") && c.service->address.empty())
        r.problem("picker_service", "missing key \"address\"");
    if (c.service) check_passthrough(r, c);
    if (c.from) check_inference_pool(r, c);
    r.section("admission", c.admission, "Requests wait for a server with room, in a fair order.");
    r.section("picker", c.picking, "What the picker assumes.");
    r.section("spill", c.spill, "When requests leave for other clusters.");
    r.field("slow_start", c.slow_start, "A server that became ready gets its full share after so long.");
    r.field("drain_timeout", c.drain_timeout, "A draining server goes offline after so long at the latest.");
    r.field("panic_percent", c.panic_percent,
            "When fewer than this share of the servers is ready, those that are not are used, too; 0: never.",
            {.min = 0, .max = 100});
    while (c.api_path.ends_with('/')) c.api_path.pop_back();
    if (!c.api_path.empty() && !c.api_path.starts_with('/')) r.problem("api_path", "begins with a /");
    if (!valid_header_name(c.session_header)) r.problem("session_header", "is no header's name");
}

}  // namespace sluice::routing
