// Pools of model servers as the configuration spells them. A pool is a provider whose addresses come and go: dialect,
// credentials, timeouts and TLS are a provider's, and targets name it like one.
#pragma once

#include "routing/admission/admission_config.hpp"
#include "routing/clusters/cluster_config.hpp"
#include "routing/picker/rates.hpp"
#include "routing/pools/inference_pool_config.hpp"
#include "routing/pools/picker_service_config.hpp"

#include <sluice/config.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sluice::routing {

// One model server, from whichever source. What is not given is the pool's.
struct endpoint_config {
    std::string url;                            // of the server itself: http://10.0.0.1:8000
    std::string id;                             // names it in the admin API, metrics and logs; host:port if empty
    std::map<std::string, std::string> labels;  // for outside pickers and the operator
    double weight = 1;                          // of round_robin, least_request, ...; the picker learns instead
    std::int64_t max_requests = 0;              // of ours at once; 0: no limit
    std::int64_t kv_tokens = 0;                 // room of its KV cache; 0: from its metrics, else the pool's
    std::optional<clusters::cluster_config> cluster = {};  // it is a gateway with servers of its own
    bool standby = false;                                  // used while no other endpoint is ready
};
void read(config_reader& r, endpoint_config& c);

// Who chooses among the endpoints that can serve.
enum class balancing : std::uint8_t {
    picker,  // predicted cost: load, prefixes kept, memory (picker/endpoint_picker.hpp)
    round_robin,
    least_request,
    two_choices,
    peak_ewma,
    hash,     // of the session, or of the prompt's beginning where there is none
    session,  // sessions stay where they began; new ones go to the one with the fewest requests
};

// Is a server well? Asked by the gateway itself, beside the traffic.
struct check_config {
    std::string path = "/health";  // empty: not asked; a server is ready when it is known
    std::chrono::milliseconds interval{5000}, timeout{2000};
    int unhealthy_after = 3;                        // failed checks in a row
    int healthy_after = 1;                          // good ones
    std::chrono::milliseconds failed_after{60000};  // so long not ready: failed, and asked less often
    bool model_list = true;                         // read GET models, too: adapters, and whether `model` is there
    std::string model;                              // must be listed; empty: any
};
void read(config_reader& r, check_config& c);

struct load_report_config {
    std::string path = "/metrics";             // empty: not polled
    std::chrono::milliseconds interval{1000};  // with a jitter of a tenth
    std::chrono::milliseconds timeout{1000};
    std::chrono::milliseconds stale_after{3000};
    std::map<std::string, std::string> names;  // signal: the metric's name, where the server has its own
};
void read(config_reader& r, load_report_config& c);

struct dns_source_config {
    std::string name;
    std::vector<std::uint16_t> ports{8000};  // each address is an endpoint at each
    bool tls = false;
    std::chrono::milliseconds interval{10000};
};
void read(config_reader& r, dns_source_config& c);

// What separates prompts that the picker would otherwise take for the same.
enum class prefix_isolation : std::uint8_t { none, tenant };

struct picker_config {
    picker::step_rates rates;  // of a server nobody has heard of yet
    std::int64_t kv_tokens = 300'000;
    prefix_isolation isolation = prefix_isolation::none;
    byte_size index_bytes{40u << 20};
    std::size_t endpoints = 64;  // most of the pool
};
void read(config_reader& r, picker_config& c);

// A service of the operator's own that orders the endpoints, by HTTP (callout/pick_callout.hpp).
struct picker_callout_config {
    std::string url;
    std::chrono::milliseconds timeout{50};  // then the pool's own balancer chooses
    std::vector<std::string> headers;       // of the request, that it is told
    std::string cache_header;               // answers are kept by its value; empty: they are not
};
void read(config_reader& r, picker_callout_config& c);

struct pool_config {
    std::vector<endpoint_config> endpoints;
    std::string endpoints_file;  // `endpoints:` of another file, read again when it changes
    std::optional<dns_source_config> dns;
    std::optional<inference_pool_config> from;  // manifests that say more of the pool (inference_pool.hpp)
    std::string api_path = "/v1";               // behind an endpoint's URL; the path of the API
    balancing by = balancing::picker;
    std::string session_header = "x-session-id";
    check_config check;
    load_report_config load;
    std::optional<picker_service_config> service;  // chooses instead of `by`
    std::optional<picker_callout_config> callout;  // likewise
    picker_config picking;
    std::optional<admission::admission_config> admission;  // none: requests go out at once or are refused
    clusters::spill_config spill;
    std::chrono::milliseconds slow_start{30000};
    std::chrono::milliseconds drain_timeout{300000};  // of :drain without one of its own
    int panic_percent = 50;  // fewer than this share ready: all that are not taken out by hand are used
};
// The part of the section that is not a provider's.
void read_pool(config_reader& r, pool_config& c);

}  // namespace sluice::routing
