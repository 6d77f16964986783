#include "routing/provider_runtime.hpp"

namespace sluice::routing {
namespace {

std::string state_key(const provider& p) {
    std::string key = "upstream " + p.config.name;
    for (const upstream_endpoint& e : p.endpoints) key += ' ' + e.pool_key;
    return key + ' ' + std::to_string(p.config.credentials.size());
}

counter& attempts(metrics& m, const provider& p, std::string_view outcome) {
    return m.get_counter("sluice_upstream_attempts_total", "Calls to upstreams by outcome.",
                         {{"provider", p.config.name}, {"outcome", outcome}});
}

}  // namespace

provider_runtime::provider_runtime(const provider& p, services& s)
    : ok(attempts(s.metrics(), p, "ok")),
      failed(attempts(s.metrics(), p, "failed")),
      ejections(s.metrics().get_counter("sluice_endpoint_ejections_total", "Addresses left out after failures.",
                                        {{"provider", p.config.name}})),
      cooldowns(s.metrics().get_counter("sluice_credential_cooldowns_total", "Credentials left out because the upstream limited them.",
                                        {{"provider", p.config.name}})),
      provider_(p) {
    const std::size_t credentials = std::max<std::size_t>(1, p.config.credentials.size());
    state_ = s.shared<provider_state>(
        state_key(p), [&] { return std::make_shared<provider_state>(p.endpoints.size(), credentials); });
    header_list common;
    for (const auto& [name, value] : p.config.headers) common.add(name, value);
    if (p.config.credentials.empty()) {
        sets_.push_back({std::move(common), nullptr});
        return;
    }
    for (const credential_config& c : p.config.credentials) sets_.push_back(make_credential(c, common, p.config.name, s));
}

}  // namespace sluice::routing
