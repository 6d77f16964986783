#include "routing/pools/picker_service_config.hpp"

#include "http/authority.hpp"
#include "routing/pools/destination_guard.hpp"

namespace sluice::routing {

using ext_proc::body_mode;
using ext_proc::destination_mode;

namespace {

void read_destinations(config_reader& r, picker_service_config& c) {
    r.one_of<destination_mode>(
        "destination", c.destinations,
        {{"validated", destination_mode::validated}, {"passthrough", destination_mode::passthrough}},
        "Which endpoints it may pick: those of the pool, or others within destination_networks, too.");
    r.field("destination_networks", c.destination_networks,
            "Blocks of addresses (10.0.0.0/8) that may be dialled. Required with passthrough.");
    r.field("destination_ports", c.destination_ports,
            "Ports that may be dialled there; those of the pool's manifest, else any, if absent.");
    if (c.destinations == destination_mode::validated) {
        if (!c.destination_networks.empty() || !c.destination_ports.empty())
            r.problem("destination_networks", "and destination_ports are for destination: passthrough");
    } else if (c.destination_networks.empty()) {
        r.problem("destination_networks", "is required with destination: passthrough",
                  "the blocks your model servers are in, as narrow as they are");
    }
    const auto guard = destination_guard::make(c.destination_networks, {});
    if (!guard) r.problem("destination_networks", guard.error().message);
}

}  // namespace

void read(config_reader& r, picker_service_config& c) {
    ext_proc::session_config& s = c.session;
    r.field("address", c.address,
            "host:port of the picker's gRPC service. Required, but for pools whose manifest has it.");
    const auto parsed = http::parse_authority(c.address);
    if (!c.address.empty() && (!parsed || parsed->port == 0)) r.problem("address", "host:port is expected");
    r.section("tls", c.tls, "TLS towards it; plain HTTP/2 if absent.");
    r.one_of<ext_proc::failure_mode>(
        "on_failure", s.on_failure,
        {{"closed", ext_proc::failure_mode::closed}, {"open", ext_proc::failure_mode::open}},
        "What follows when it fails: closed is 503, open lets the pool's own balancer choose.");
    c.says_on_failure = r.has("on_failure");
    read_destinations(r, c);
    r.field("shadow", c.shadow, "Only compare its choices with the pool's own.");
    r.field("first_response", s.first_response, "From the end of a request until its first answer.", {.min = 0.001});
    r.field("message_timeout", s.message_timeout, "For every other answer.", {.min = 0.001});
    r.field("message_timeout_max", s.message_timeout_max, "The longest it may ask for; 0s: it may not.");
    const std::initializer_list<enum_name<body_mode>> modes{{"none", body_mode::none},
                                                            {"streamed", body_mode::streamed},
                                                            {"buffered", body_mode::buffered},
                                                            {"full_duplex", body_mode::full_duplex}};
    r.one_of<body_mode>("request_body", s.request_body, modes, "How request bodies travel to it.");
    r.one_of<body_mode>("response_body", s.response_body, modes, "How bodies of replies travel to it.");
    r.field("response_headers", s.response_headers, "Show it the heads of replies.");
    r.field("allow_mode_override", s.allow_mode_override, "Its answer to a head may change the body modes.");
    if (s.response_body == body_mode::full_duplex && !s.response_headers)
        r.problem("response_headers", "must be true when bodies of replies travel full_duplex");
}

}  // namespace sluice::routing
