// The manifests of inference_pool.hpp, field by field.
#include "config/manifests.hpp"
#include "net/address_guard.hpp"
#include "routing/pools/inference_pool.hpp"

#include <algorithm>
#include <set>

namespace sluice::routing {
namespace {

using ext_proc::failure_mode;

constexpr std::string_view v1 = "inference.networking.k8s.io/v1";
constexpr std::string_view v1alpha2 = "inference.networking.x-k8s.io/v1alpha2";
constexpr constraint port_range{.min = 1, .max = 65535};
constexpr constraint required_port{.min = 1, .max = 65535, .need = presence::required};

// Known, and of no use here, whatever they hold: who asks for a key knows it.
void pass_over(const config_reader& r, std::initializer_list<std::string_view> keys) {
    for (const std::string_view key : keys) static_cast<void>(r.has(key));
}

// --- InferencePool --------------------------------------------------------------------------------------------------

struct port_section {
    std::uint16_t number = 0;
};
void read(config_reader& r, port_section& p) {
    r.field("number", p.number, "The port.", required_port);
    pass_over(r, {"name"});
}

void read_picker_target(config_reader& r, inference_pool::picker_ref& p) {
    std::string group, kind = "Service";
    r.field("group", group, "Of the API the kind belongs to.");
    r.field("kind", kind, "What is referred to.");
    r.field("name", p.service, "Of the service.", required);
    r.one_of<failure_mode>("failureMode", p.on_failure,
                           {{"FailClose", failure_mode::closed}, {"FailOpen", failure_mode::open}},
                           "What follows when it fails.");
    if (!group.empty() || kind != "Service")
        r.problem("kind", "an endpoint picker is a Service of the core group", "write kind: Service, group: \"\"");
    const bool plain = std::all_of(p.service.begin(), p.service.end(), [](unsigned char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
    if (!plain || p.service.size() > 63) r.problem("name", "is no name of a service");
}

struct picker_v1 {
    inference_pool::picker_ref of;
};
void read(config_reader& r, picker_v1& p) {
    read_picker_target(r, p.of);
    port_section port{p.of.port};
    r.section("port", port, "Of the service.");
    p.of.port = port.number;
}

struct picker_v1alpha2 {
    inference_pool::picker_ref of;
};
void read(config_reader& r, picker_v1alpha2& p) {
    read_picker_target(r, p.of);
    r.field("portNumber", p.of.port, "Of the service.", port_range);
}

struct spec_v1 {
    inference_pool of;
};
void read(config_reader& r, spec_v1& s) {
    pass_over(r, {"selector"});
    std::vector<port_section> ports;
    r.list("targetPorts", ports, "Where model servers listen.", {.min = 1, .max = 8, .need = presence::required});
    for (const port_section& p : ports) {
        if (std::find(s.of.ports.begin(), s.of.ports.end(), p.number) != s.of.ports.end())
            r.problem("targetPorts", "has port " + std::to_string(p.number) + " twice");
        s.of.ports.push_back(p.number);
    }
    r.one_of<server_protocol>("appProtocol", s.of.protocol,
                              {{"http", server_protocol::http1}, {"kubernetes.io/h2c", server_protocol::h2c}},
                              "What they speak.");
    std::optional<picker_v1> picker;
    r.section("endpointPickerRef", picker, "Who chooses.");
    if (picker) s.of.chosen_by = std::move(picker->of);
}

struct spec_v1alpha2 {
    inference_pool of;
};
void read(config_reader& r, spec_v1alpha2& s) {
    pass_over(r, {"selector"});
    std::uint16_t port = 1;
    r.field("targetPortNumber", port, "Where model servers listen.", required_port);
    s.of.ports = {port};
    std::optional<picker_v1alpha2> picker;
    r.section("extensionRef", picker, "Who chooses.");
    if (picker) s.of.chosen_by = std::move(picker->of);
}

template <class Spec>
inference_pool read_pool_of(config_reader& r, const config::manifest& m) {
    Spec spec;
    r.section("spec", spec, "What the pool is.", required);
    spec.of.name = m.name;
    spec.of.space = m.space;
    if (m.name.empty()) r.problem("", "has no metadata.name");
    return std::move(spec.of);
}

// --- EndpointSlice --------------------------------------------------------------------------------------------------

struct conditions_section {
    bool ready = true;
};
void read(config_reader& r, conditions_section& c) {
    r.field("ready", c.ready, "Does it take requests?");
    pass_over(r, {"serving", "terminating"});
}

struct slice_endpoint {
    std::vector<std::string> addresses;
    conditions_section is;
};
void read(config_reader& r, slice_endpoint& e) {
    r.field("addresses", e.addresses, "Of one pod.", required);
    r.section("conditions", e.is, "Its state.");
    pass_over(r, {"hostname", "nodeName", "zone", "hints", "targetRef", "deprecatedTopology"});
    for (const std::string& a : e.addresses) {
        if (net::classify_host(a).form == net::host_form::invalid)
            r.problem("addresses", "\"" + a + "\" is no address");
    }
}

void read_slice(config_reader& r, std::vector<std::string>& addresses) {
    std::vector<slice_endpoint> endpoints;
    r.list("endpoints", endpoints, "Pods.");
    pass_over(r, {"addressType", "ports"});
    for (const slice_endpoint& e : endpoints) {
        // All addresses of one endpoint are the same pod: the first is enough.
        if (e.is.ready && !e.addresses.empty()) addresses.push_back(e.addresses.front());
    }
}

}  // namespace

inference_pools_load load_inference_pools(const std::string& path) {
    inference_pools_load out;
    out.report = config::load_manifests(path, [&](const config::manifest& m) -> config::manifest_reader {
        if (m.kind != "InferencePool") return nullptr;
        if (m.api_version == v1)
            return [&out, m](config_reader& r) { out.pools.push_back(read_pool_of<spec_v1>(r, m)); };
        if (m.api_version == v1alpha2)
            return [&out, m](config_reader& r) { out.pools.push_back(read_pool_of<spec_v1alpha2>(r, m)); };
        return nullptr;
    });
    return out;
}

addresses_load load_addresses(const std::string& path) {
    addresses_load out;
    out.report = config::load_manifests(path, [&](const config::manifest& m) -> config::manifest_reader {
        if (m.kind == "EndpointSlice" && m.api_version.starts_with("discovery.k8s.io/"))
            return [&out](config_reader& r) { read_slice(r, out.addresses); };
        if (!m.kind.empty()) return nullptr;
        return [&out](config_reader& r) {
            std::vector<std::string> listed;
            r.field("addresses", listed, "IPs of the model servers, without ports.", required);
            for (std::string& a : listed) {
                if (net::classify_host(a).form == net::host_form::invalid)
                    r.problem("addresses", "\"" + a + "\" is no address", "write it without a port");
                out.addresses.push_back(std::move(a));
            }
        };
    });
    std::set<std::string> seen;
    std::erase_if(out.addresses, [&](const std::string& a) { return !seen.insert(a).second; });
    return out;
}

}  // namespace sluice::routing
