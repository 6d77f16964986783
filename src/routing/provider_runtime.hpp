// A provider as one worker uses it: what its requests carry, and the state all workers share.
#pragma once

#include "routing/credentials.hpp"
#include "routing/model_table.hpp"
#include "routing/pools/pool_client.hpp"
#include "routing/upstream_state.hpp"

#include <sluice/metrics.hpp>
#include <sluice/services.hpp>

#include <memory>
#include <optional>
#include <vector>

namespace sluice::routing {

// Shared by the workers, kept over reloads that do not change the provider's addresses and credentials.
struct provider_state {
    provider_state(std::size_t endpoints_n, std::size_t credentials_n)
        : endpoints(endpoints_n), credentials(credentials_n) {}
    std::vector<endpoint_state> endpoints;
    std::vector<credential_state> credentials;  // at least one: no credential counts as one
    retry_budget retries;
};

class provider_runtime {
public:
    provider_runtime(const provider& p, services& s);

    const provider& what() const { return provider_; }
    provider_state& state() const { return *state_; }
    // The endpoints of a pool; null for a provider whose addresses the configuration names.
    pool_client* pool() const { return pool_.get(); }

    // The next one in turn that is available and that `usable(index)` does not rule out. Nothing: none is.
    template <class Usable>
    std::optional<std::size_t> pick_endpoint(steady_time now, bool strict, Usable usable) {
        return pick(state_->endpoints.size(), endpoint_turn_,
                    [&](std::size_t i) { return (!strict || state_->endpoints[i].available(now)) && usable(i); });
    }
    template <class Usable>
    std::optional<std::size_t> pick_credential(steady_time now, Usable usable) {
        return pick(state_->credentials.size(), credential_turn_,
                    [&](std::size_t i) { return state_->credentials[i].available(now) && usable(i); });
    }

    // How long until the last limited credential is free again; 0: none is limited.
    std::chrono::milliseconds limited_for(steady_time now) const;

    // What a request of that credential carries: fixed headers, and for some kinds an authorizer.
    const header_list& headers(std::size_t credential) const { return sets_[credential].headers; }
    authorizer* signer(std::size_t credential) const { return sets_[credential].signer.get(); }
    // Does that credential sign the body? Then it must be collected: what streams past cannot be signed ahead.
    bool signs_body(std::size_t credential) const {
        return credential < provider_.config.credentials.size() &&
               provider_.config.credentials[credential].aws_sigv4.has_value();
    }

    counter& ok;
    counter& failed;
    counter& ejections;
    counter& cooldowns;
    counter& translated;
    counter& repairs;

private:
    template <class Usable>
    static std::optional<std::size_t> pick(std::size_t n, std::size_t& turn, Usable usable) {
        for (std::size_t i = 0; i < n; ++i) {
            const std::size_t at = (turn + i) % n;
            if (!usable(at)) continue;
            turn = at + 1;
            return at;
        }
        return std::nullopt;
    }

    const provider& provider_;
    std::shared_ptr<provider_state> state_;
    std::vector<credential_set> sets_;
    std::unique_ptr<pool_client> pool_;
    std::size_t endpoint_turn_ = 0, credential_turn_ = 0;
};

}  // namespace sluice::routing
