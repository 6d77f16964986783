#include "routing/pools/destination_guard.hpp"

#include "http/authority.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>

namespace sluice::routing {

namespace ip = boost::asio::ip;

result<destination_guard> destination_guard::make(const std::vector<std::string>& networks,
                                                  std::vector<std::uint16_t> ports) {
    destination_guard g;
    for (const std::string& text : networks) {
        const auto block = net::cidr::parse(text);
        if (!block) return error{error_kind::bad_request, '"' + text + "\": " + block.error().message};
        g.networks_.push_back(*block);
    }
    g.ports_ = std::move(ports);
    return g;
}

std::optional<std::string> destination_guard::admit(std::string_view endpoint) const {
    const auto parts = http::parse_authority(endpoint);
    if (!parts || parts->port == 0) return std::nullopt;
    boost::system::error_code no_literal;
    ip::address address = ip::make_address(std::string(parts->host), no_literal);
    if (no_literal) return std::nullopt;
    if (address.is_v6() && address.to_v6().is_v4_mapped())
        address = ip::make_address_v4(ip::v4_mapped, address.to_v6());
    const bool inside = std::any_of(networks_.begin(), networks_.end(),
                                    [&](const net::cidr& block) { return block.contains(address); });
    const bool port_open = ports_.empty() || std::find(ports_.begin(), ports_.end(), parts->port) != ports_.end();
    if (!inside || !port_open) return std::nullopt;
    return http::write_authority(address.to_string(), parts->port);
}

}  // namespace sluice::routing
