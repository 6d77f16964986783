#include "routing/clusters/cluster_config.hpp"

namespace sluice::clusters {

void read(config_reader& r, cluster_config& c) {
    r.field("load_path", c.load_path, "Path of its stage `pool_load`; absent: it tells nothing of its load.");
    r.field("home", c.home, "As near as the pool's servers: chosen like one of them.");
    if (!c.load_path.empty() && !c.load_path.starts_with('/')) r.problem("load_path", "begins with a /");
}

void read(config_reader& r, spill_config& c) {
    r.field("home_bias", c.home_bias, "The first request leaves when home is so many times slower than a cluster,",
            {.min = 1, .max = 100});
    r.field("margin", c.margin, "and by so much more.");
    r.field("hold", c.hold, "Then for so long whichever is faster is taken.");
    r.field("max_hops", c.hops_max, "Gateways behind each other that may send a request on to another cluster.",
            {.min = 0, .max = 4});
    r.field("load_interval", c.load_interval, "Between two looks at a cluster's load.", {.min = 0.05});
    r.field("standby_hold", c.standby_hold, "An active endpoint must be ready for so long before standbys rest again.");
}

}  // namespace sluice::clusters
