// How names are resolved; the `dns:` section of the configuration.
#pragma once

#include "net/dns_cache.hpp"

#include <sluice/config.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace sluice::net {

struct dns_config {
    // "10.0.0.2", "10.0.0.2:5353" or "[fd00::2]:53". Empty: those of /etc/resolv.conf, read at start.
    std::vector<std::string> servers;

    std::chrono::milliseconds ttl_min{5'000};        // a shorter TTL counts as this
    std::chrono::milliseconds ttl_max{60'000};       // a longer TTL counts as this
    std::chrono::milliseconds negative_ttl{1'000};   // how long a failure is remembered
    std::chrono::milliseconds stale{3'600'000};      // how long old addresses serve a name whose lookups fail
    std::chrono::milliseconds stale_after{1'000};    // wait this long for an answer before old addresses are used
    std::chrono::milliseconds timeout{5'000};        // longest wait of one request, all tries included
    std::chrono::milliseconds query_timeout{1'000};  // first try at one server; each further round waits twice as long
    int tries = 3;                                   // rounds through the servers
    std::size_t names_max = 1024;                    // names remembered per worker
    std::size_t waiters_max = 4096;                  // requests waiting for one name per worker; more are refused

    dns_cache_limits cache_limits() const;
};
void read(config_reader& r, dns_config& c);

}  // namespace sluice::net
