// Where a processor is, as connections are made to it.
#pragma once

#include "net/tls_client.hpp"
#include "net/tls_config.hpp"

#include <sluice/exchange.hpp>
#include <sluice/result.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::ext_proc {

// `owner`: what it belongs to, for labels. `address`: host:port. Without `tls` it speaks plain HTTP/2. `patience`: how
// long making a connection may take: a processor that cannot be reached in the time it has to answer is as good as
// none. Error: bad_request, for an address or a certificate file that cannot be read.
result<upstream_endpoint> processor_address(std::string owner, const std::string& address,
                                            const std::optional<net::tls_client_config>& tls, net::tls_trust& trust,
                                            std::chrono::milliseconds patience);

}  // namespace sluice::ext_proc
