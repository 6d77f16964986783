// From a host and a port to a connected socket: names resolved, addresses guarded, families raced.
//
// Happy Eyeballs (RFC 8305): the addresses are tried alternating between IPv6 and IPv4, each 250 ms after the one
// before or as soon as it failed; the first that connects wins and the others are closed. The guard judges
// each address in the attempt itself. One connector per worker; not thread-safe.
#pragma once

#include "net/address_guard.hpp"
#include "net/connect_proxy.hpp"
#include "net/dns_resolver.hpp"
#include "net/unique_fd.hpp"

#include <sluice/awaitable.hpp>
#include <sluice/config.hpp>
#include <sluice/result.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace sluice::net {

// How the upstreams of one provider are reached; part of the provider's section.
struct connect_config {
    address_policy_config addresses;
    std::optional<proxy_config> proxy;
    std::chrono::milliseconds keepalive_idle{60'000};      // silence before the kernel probes the peer; 0: never
    std::chrono::milliseconds keepalive_interval{15'000};  // between probes
    int keepalive_probes = 4;                              // unanswered ones before the connection is broken
};
// Reads `allow_private`, `allow`, `deny` and the rest as keys of the section at hand.
void read(config_reader& r, connect_config& c);

// A connect_config, compiled. Immutable; safe to share between threads.
struct endpoint_options {
    static result<endpoint_options> make(const connect_config& config);

    address_policy policy;
    std::optional<connect_proxy> proxy;
    host_origin origin = host_origin::configuration;
    std::chrono::seconds keepalive_idle{60};
    std::chrono::seconds keepalive_interval{15};
    int keepalive_probes = 4;
};

struct connected {
    unique_fd fd;                         // non-blocking, close-on-exec, TCP_NODELAY, SO_KEEPALIVE; in no reactor
    boost::asio::ip::tcp::endpoint peer;  // of the proxy, when one was used
    bool through_proxy = false;
};

class connector {
public:
    static constexpr std::chrono::milliseconds attempt_delay{250};  // RFC 8305, section 5
    static constexpr std::size_t attempts_max = 16;                 // addresses tried per connect

    // `names` outlives the connector and every connect() under way.
    connector(boost::asio::any_io_executor worker, resolver& names) : worker_(std::move(worker)), names_(names) {}

    // `options` outlives the awaitable. `timeout` covers resolving, connecting and the proxy. Errors: upstream_dns,
    // upstream_connect, upstream_connect_timeout, upstream_forbidden (no address may be connected to),
    // upstream_protocol (the proxy's answer), overloaded. Leaves by exception when cancelled; nothing is left open.
    awaitable<result<connected>> connect(const endpoint_options& options, std::string host, std::uint16_t port,
                                         std::chrono::milliseconds timeout);

private:
    using deadline = std::chrono::steady_clock::time_point;
    awaitable<result<connected>> connect_direct(const endpoint_options& options, const address_policy& policy,
                                                host_origin origin, const std::string& host, std::uint16_t port,
                                                deadline by);
    awaitable<result<connected>> connect_through(const endpoint_options& options, const std::string& host,
                                                 std::uint16_t port, deadline by);
    awaitable<result<shared_addresses>> addresses_of(const std::string& host, deadline by);

    boost::asio::any_io_executor worker_;
    resolver& names_;
    std::size_t turn_ = 0;  // spreads connections over the addresses of a name
};

// The order of attempts: families alternate, the family of the first address first; within a family the order
// stays, started `turn` places further on, so that the connections of one pool spread over a name's addresses.
addresses attempt_order(const addresses& found, std::size_t turn);

}  // namespace sluice::net
