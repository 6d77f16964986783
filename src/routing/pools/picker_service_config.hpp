// A picker outside the gateway that a pool asks: an Envoy external processor (ext-proc).
#pragma once

#include "net/tls_config.hpp"
#include "routing/ext_proc/session_config.hpp"

#include <sluice/config.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::routing {

struct picker_service_config {
    std::string address;  // host:port; empty: the manifest of the pool has it
    std::optional<net::tls_client_config> tls;
    bool shadow = false;           // it is asked beside the pool's own balancer, and only compared
    bool says_on_failure = false;  // is session.on_failure written here? If not, a manifest may say it
    // `passthrough`: addresses that are none of the pool's are dialled, too, by plain HTTP, if they are within these.
    ext_proc::destination_mode destinations = ext_proc::destination_mode::validated;
    std::vector<std::string> destination_networks;  // CIDR blocks
    std::vector<std::uint16_t> destination_ports;   // empty: any
    ext_proc::session_config session;
};
void read(config_reader& r, picker_service_config& c);

}  // namespace sluice::routing
