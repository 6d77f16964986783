#include "net/dns_config.hpp"

#include "net/dns_channel.hpp"

namespace sluice::net {

dns_cache_limits dns_config::cache_limits() const {
    dns_cache_limits limits;
    limits.ttl_min = ttl_min;
    limits.ttl_max = ttl_max;
    limits.negative = negative_ttl;
    limits.stale = stale;
    limits.names_max = names_max;
    return limits;
}

void read(config_reader& r, dns_config& c) {
    r.field("servers", c.servers, "DNS servers, with or without a port; those of /etc/resolv.conf when empty.");
    r.field("ttl_min", c.ttl_min, "Shortest time an answer is kept.", {.min = 0.001, .max = 86'400});
    r.field("ttl_max", c.ttl_max, "Longest time an answer is kept.", {.min = 0.001, .max = 86'400});
    r.field("negative_ttl", c.negative_ttl, "How long a failure is remembered.", {.min = 0, .max = 3'600});
    r.field("stale", c.stale, "How long old addresses serve a name whose lookups fail.", {.min = 0, .max = 604'800});
    r.field("stale_after", c.stale_after, "How long to wait for an answer before old addresses are used.",
            {.min = 0.001, .max = 60});
    r.field("timeout", c.timeout, "Longest wait of one request for a name.", {.min = 0.001, .max = 60});
    r.field("query_timeout", c.query_timeout, "Wait for one server at the first try; doubled with each further round.",
            {.min = 0.001, .max = 60});
    r.field("tries", c.tries, "Rounds through the servers.", {.min = 1, .max = 10});
    r.field("names_max", c.names_max, "Names remembered per worker.", {.min = 1, .max = 1'000'000});
    r.field("waiters_max", c.waiters_max, "Requests that may wait for one name per worker.",
            {.min = 1, .max = 1'000'000});
    if (c.ttl_max < c.ttl_min) r.problem("ttl_max", "is shorter than ttl_min");
    for (const auto& server : c.servers)
        if (const auto fine = dns_channel::check_server(server); !fine) r.problem("servers", fine.error().message);
}

}  // namespace sluice::net
