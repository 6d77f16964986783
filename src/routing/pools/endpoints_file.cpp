#include "routing/pools/endpoints_file.hpp"

namespace sluice::routing {

endpoints_load load_endpoints(const std::string& file, const std::filesystem::path& folder) {
    endpoints_load out;
    out.report = config::load((folder / file).string(), [&](config_reader& r) {
        r.list("endpoints", out.endpoints, "The servers of the pool.", required);
    });
    return out;
}

}  // namespace sluice::routing
