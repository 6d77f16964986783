// What the resolver knows about names: a state machine over a clock, without sockets.
//
// The states of a name: unknown -> fresh -> (refresh due) -> expired, where every answer leads back to
// fresh. When lookups fail, the last good addresses go on being served (stale, RFC 8767) up to a limit:
// a DNS outage then does not take the upstreams with it. One per worker; not thread-safe.
#pragma once

#include <sluice/result.hpp>

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sluice::net {

using addresses = std::vector<boost::asio::ip::address>;
using shared_addresses = std::shared_ptr<const addresses>;  // never null and never empty where it is a value

struct dns_cache_limits {
    std::chrono::milliseconds ttl_min{5'000};    // a shorter TTL counts as this
    std::chrono::milliseconds ttl_max{60'000};   // a longer TTL counts as this
    std::chrono::milliseconds negative{1'000};   // how long a failure is remembered
    std::chrono::milliseconds stale{3'600'000};  // how long after expiry old addresses may serve a failing name
    std::chrono::milliseconds idle{300'000};     // names not asked for this long are no longer refreshed ahead
    std::size_t names_max = 1024;                // least recently used names go first
};

// Counts since start, for metrics.
struct dns_stats {
    std::int64_t hits = 0;           // answered from the cache, fresh
    std::int64_t stale_served = 0;   // answered with addresses past their TTL, because lookups fail or are late
    std::int64_t negative_hits = 0;  // answered with a remembered failure
    std::int64_t lookups = 0;        // questions sent to c-ares
    std::int64_t failures = 0;       // of these, failed
    std::int64_t rejected = 0;       // refused because too many were waiting
};

class dns_cache {
public:
    using time_point = std::chrono::steady_clock::time_point;

    explicit dns_cache(dns_cache_limits limits) : limits_(limits) {}

    enum class advice : std::uint8_t {
        use,        // the addresses are fresh
        use_stale,  // past their TTL, and the name failed lately: use them; refresh in the background
        look_up,    // ask DNS and wait; `known` may hold addresses to fall back on when that is late
        fail,       // it failed a moment ago and nothing usable is left: `failure` says how
    };
    struct view {
        advice what = advice::look_up;
        shared_addresses known;        // with use and use_stale, maybe with look_up
        std::optional<error> failure;  // with fail
        bool refresh = false;          // start a lookup in the background, if none is under way
    };
    // Marks the name as used. `host` is in lower case.
    view find(std::string_view host, time_point now);

    // The answer of a lookup. `found` must not be empty. Returns what the waiters get.
    shared_addresses store(std::string_view host, addresses found, std::chrono::seconds ttl, time_point now);

    // The lookup failed. Returns the old addresses if they may still serve, else null.
    shared_addresses fail(std::string_view host, error why, time_point now);

    // The old addresses of a name whose lookup is late, if they may still serve.
    shared_addresses fallback(std::string_view host, time_point now) const;

    // When the next name in use wants a refresh; nothing when none does.
    std::optional<time_point> next_refresh() const;
    // The names whose refresh is due. Each is named once: it is due again after its next answer.
    std::vector<std::string> take_due(time_point now);

    std::size_t size() const { return names_.size(); }

private:
    struct entry {
        shared_addresses known;  // the last good answer; null before the first
        time_point expires;      // of `known`
        std::optional<time_point> refresh_at;
        std::optional<error> failure;  // of the last lookup, if it failed
        time_point failed_until;       // how long `failure` holds
        time_point used;
        std::list<std::string>::iterator recent;
    };
    entry& touch(std::string_view host, time_point now);
    bool may_serve_stale(const entry& e, time_point now) const;

    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
    };
    const dns_cache_limits limits_;
    std::unordered_map<std::string, entry, text_hash, std::equal_to<>> names_;
    std::list<std::string> recent_;  // most recently used first
};

}  // namespace sluice::net
