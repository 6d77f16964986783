#include "routing/pools/inference_pool_config.hpp"

namespace sluice::routing {

void read(config_reader& r, inference_pool_config& c) {
    r.field("file", c.file, "Manifests with an InferencePool, read again when they change.", required);
    r.field("name", c.name, "Of the InferencePool; the only one of the file, if absent.");
    r.field("namespace", c.space, "Its namespace, where the file has several or does not say.");
    r.field("addresses", c.addresses, "IPs of the model servers, without ports: those are the manifest's.");
    r.field("addresses_file", c.addresses_file,
            "A file with EndpointSlices or a list `addresses`, read again when it changes.");
    r.field("dns", c.dns, "A name whose addresses are the model servers, such as that of a headless service.");
    r.field("ask_picker", c.ask_picker,
            "false: the pool's own balancer chooses, whatever endpoint picker the manifest names.");
}

}  // namespace sluice::routing
