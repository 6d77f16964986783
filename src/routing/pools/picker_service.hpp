// The outside picker of one pool, as one worker asks it.
#pragma once

#include "net/h2/grpc_call.hpp"
#include "routing/circuit_breaker.hpp"
#include "routing/pools/destination_guard.hpp"
#include "routing/pools/picker_service_config.hpp"

#include <sluice/metrics.hpp>
#include <sluice/services.hpp>

#include <memory>
#include <optional>
#include <string>

namespace sluice::routing {

class picker_service {
public:
    // `breaker` is shared by the workers; `s` outlives it.
    picker_service(const std::string& pool, const picker_service_config& config, const upstream_endpoint& address,
                   std::shared_ptr<circuit_breaker> breaker, services& s);

    const picker_service_config& config() const { return config_; }
    net::grpc_channel& channel() { return *channel_; }
    circuit_breaker& breaker() { return *breaker_; }

    // What it may name besides the pool's endpoints; null: nothing.
    const destination_guard* passthrough() const { return passthrough_ ? &*passthrough_ : nullptr; }

    counter& picked;
    counter& denied;   // it answered the client itself
    counter& failed;   // late, broken, or not to be understood
    counter& skipped;  // the pool's own balancer chose instead
    counter& agreed;   // in shadow
    counter& differed;
    counter& unknown_endpoints;
    counter& passed;  // attempts at endpoints that only it knows
    counter& refused_headers;
    histogram& seconds;

private:
    const picker_service_config config_;
    const std::optional<destination_guard> passthrough_;
    const std::shared_ptr<circuit_breaker> breaker_;
    const std::unique_ptr<net::grpc_channel> channel_;
};

}  // namespace sluice::routing
