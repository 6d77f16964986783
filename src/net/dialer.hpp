// New connections to upstreams: name, address, TLS, ready for the first request.
#pragma once

#include "net/connector.hpp"
#include "net/tls_client.hpp"
#include "net/upstream_pool.hpp"

#include <memory>
#include <string>

namespace sluice::net {

// How a provider is reached, compiled from its configuration. What upstream_endpoint::connect_options holds.
// Immutable and shared by the workers.
struct transport {
    endpoint_options connect;
    std::shared_ptr<const tls_client_context> tls;  // null: only for endpoints without TLS
};

class tcp_dialer final : public dialer {
public:
    tcp_dialer(reactor& loop, connector& c)
        : loop_(loop), connector_(c), sessions_(std::make_shared<tls_session_store>()) {}

    awaitable<result<std::unique_ptr<stream>>> dial(const upstream_endpoint& e) override;

private:
    reactor& loop_;
    connector& connector_;
    std::shared_ptr<tls_session_store> sessions_;
};

}  // namespace sluice::net
