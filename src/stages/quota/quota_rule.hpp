// One rule of a quota: its limits, and whom a request counts for.
#pragma once

#include "governance/limiter.hpp"
#include "governance/siphash.hpp"
#include "stages/quota/quota_config.hpp"

#include <sluice/exchange.hpp>
#include <sluice/services.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::quota {

enum class unit : std::uint8_t { requests, tokens };

struct window_limit {
    unit counts;
    sluice::rate rate;
    std::shared_ptr<rate_limiter> limiter;  // shared by all workers
    std::string text;                       // "60 requests per minute"
};

// Belongs to one worker; what it counts in is shared.
class quota_rule {
public:
    // `identity` names the rule among all of the process when the configuration does not.
    quota_rule(const rule_config& config, const std::string& identity, std::string_view route, services& s);

    // The caller without a key counts by its address, one without a tenant by its key. IPv6 addresses count by
    // their /64: a single host owns that many. `model` is the name that the client asked for.
    std::uint64_t subject(const exchange& x, std::string_view model) const;

    per kind() const { return per_; }
    bool counts_tokens() const;
    const std::vector<window_limit>& windows() const { return windows_; }
    // Null without such a limit.
    concurrency_limiter* places() const { return places_.get(); }
    std::uint32_t places_max() const { return places_max_; }

    counter &allowed, &refused, &table_full;

private:
    void add(unit u, std::int64_t limit, std::int64_t burst, std::chrono::seconds period, std::string_view period_name,
             const rule_config& config, const std::string& identity, services& s);
    std::uint64_t address_subject(std::string_view address) const;

    per per_;
    std::string header_;
    std::shared_ptr<const siphash_key> hash_key_;
    std::vector<window_limit> windows_;
    std::shared_ptr<concurrency_limiter> places_;
    std::uint32_t places_max_ = 0;
};

// The host part of "192.0.2.7:443", "[2001:db8::1]:443" or an address without port.
std::string_view host_of(std::string_view address);

}  // namespace sluice::quota
