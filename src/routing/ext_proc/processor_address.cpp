#include "routing/ext_proc/processor_address.hpp"

#include "http/authority.hpp"
#include "net/dialer.hpp"

#include <utility>

namespace sluice::ext_proc {

result<upstream_endpoint> processor_address(std::string owner, const std::string& address,
                                            const std::optional<net::tls_client_config>& tls, net::tls_trust& trust,
                                            std::chrono::milliseconds patience) {
    const auto where = http::parse_authority(address);
    if (!where) return error{error_kind::bad_request, "host:port is expected"};
    // They live inside, and their names lead there: that of a service in a cluster always does.
    net::connect_config connect;
    connect.addresses.allow_private = true;
    auto options = net::endpoint_options::make(connect);
    if (!options) return options.error();
    auto context = net::tls_client_context::make(tls.value_or(net::tls_client_config{}), trust);
    if (!context) return context.error();
    upstream_endpoint e;
    e.provider = std::move(owner);
    e.name = e.host_header = address;
    e.host = where->host;
    e.port = where->port;
    e.tls = tls.has_value();
    e.h2 = true;
    e.connect_options =
        std::make_shared<const net::transport>(net::transport{std::move(*options), std::move(*context)});
    e.timeouts.connect = e.timeouts.tls = patience;
    return e;
}

}  // namespace sluice::ext_proc
