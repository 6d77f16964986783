// Which addresses an outside picker may have dialled that are none of the pool's: without a limit, whoever runs the
// picker could point the gateway, and the credentials it sends to model servers, anywhere.
#pragma once

#include "net/address_guard.hpp"

#include <sluice/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::routing {

// Immutable; safe to share between threads. What it lets pass still has to pass the pool's address guard.
class destination_guard {
public:
    // CIDR blocks; no ports: any. The error names the block that is none.
    static result<destination_guard> make(const std::vector<std::string>& networks, std::vector<std::uint16_t> ports);

    // "10.0.0.1:8000" in its one spelling, so that an address has no two endpoints; nothing: it may not be dialled.
    std::optional<std::string> admit(std::string_view endpoint) const;

private:
    std::vector<net::cidr> networks_;
    std::vector<std::uint16_t> ports_;
};

}  // namespace sluice::routing
