// Names to addresses, for everything the gateway connects to.
//
// A lookup never happens per request: answers are cached for their TTL and refreshed ahead of expiry while
// the name is in use, one lookup per name serves all who wait for it, and when DNS fails the last good
// addresses go on serving. Address literals and `localhost` never reach DNS or the cache.
#pragma once

#include "net/dns_cache.hpp"
#include "net/dns_config.hpp"

#include <sluice/awaitable.hpp>
#include <sluice/result.hpp>
#include <sluice/services.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace sluice::net {

// The interface, so that tests can answer for DNS.
class resolver {
public:
    // Waits at most `wait_max`, and at most as long as the configuration says. The error is upstream_dns
    // (or overloaded, when too many wait for the same name). Leaves by exception when cancelled.
    virtual awaitable<result<shared_addresses>> resolve(std::string host, std::chrono::milliseconds wait_max) = 0;
    awaitable<result<shared_addresses>> resolve(std::string host) {
        return resolve(std::move(host), std::chrono::milliseconds::max());
    }

protected:
    ~resolver() = default;
};

// One per worker; not thread-safe. Coroutines that wait in it may outlive it: they get an error.
class dns_resolver final : public resolver {
public:
    // `time` outlives the resolver. Reads /etc/resolv.conf, unless the configuration names servers.
    static result<std::unique_ptr<dns_resolver>> make(boost::asio::any_io_executor worker, const clock& time,
                                                      const dns_config& config);
    ~dns_resolver();
    dns_resolver(const dns_resolver&) = delete;
    dns_resolver& operator=(const dns_resolver&) = delete;

    using resolver::resolve;
    awaitable<result<shared_addresses>> resolve(std::string host, std::chrono::milliseconds wait_max) override;

    dns_stats stats() const;

private:
    class state;
    explicit dns_resolver(std::shared_ptr<state> s);
    std::shared_ptr<state> state_;
};

}  // namespace sluice::net
