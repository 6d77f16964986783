#include "stages/quota/quota_rule.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace sluice::quota {
namespace {

using namespace std::chrono_literals;

counter& count_of(services& s, std::string_view route, std::string_view rule, std::string_view result) {
    return s.metrics().get_counter("sluice_quota_total", "Requests by rule and by what the rule decided.",
                                   {{"route", route}, {"rule", rule}, {"result", result}});
}

std::string_view label_of(const rule_config& c) {
    return c.name.empty() ? std::string_view{c.subject} : std::string_view{c.name};
}

// One table per limit. It outlives a reload as long as the rule keeps its place or name, its `per` and its size;
// the limit itself may change, since the state is a time and not a count.
template <class Limiter>
std::shared_ptr<Limiter> shared_limiter(services& s, const std::string& identity, const rule_config& c,
                                        std::string_view what) {
    const std::string key = "quota/" + (c.name.empty() ? identity : "name:" + c.name) + "/" + c.subject + "/" +
                            std::string(what) + "/" + std::to_string(c.subjects);
    return s.shared<Limiter>(key, [&] { return std::make_shared<Limiter>(static_cast<std::size_t>(c.subjects)); });
}

// A caller without key must not meet a key that is spelled like its address.
siphash_key for_addresses(const siphash_key& key) {
    return {key.k0 ^ 0x6164647265737365, key.k1};
}

}  // namespace

quota_rule::quota_rule(const rule_config& config, const std::string& identity, std::string_view route, services& s)
    : allowed(count_of(s, route, label_of(config), "allowed")),
      refused(count_of(s, route, label_of(config), "refused")),
      table_full(count_of(s, route, label_of(config), "table_full")),
      per_(per_of(config.subject)),
      header_(per_ == per::header ? header_of(config.subject) : std::string_view{}),
      hash_key_(
          s.shared<siphash_key>("quota/hash_key", [] { return std::make_shared<siphash_key>(random_siphash_key()); })) {
    std::int64_t burst = config.burst;  // of the first, that is the shortest, requests window
    const auto requests = [&](std::int64_t limit, std::chrono::seconds period, std::string_view name) {
        if (limit <= 0) return;
        add(unit::requests, limit, burst, period, name, config, identity, s);
        burst = 0;
    };
    requests(config.requests_per_second, 1s, "second");
    requests(config.requests_per_minute, 1min, "minute");
    requests(config.requests_per_hour, 1h, "hour");
    requests(config.requests_per_day, 24h, "day");
    const auto tokens = [&](std::int64_t limit, std::chrono::seconds period, std::string_view name) {
        if (limit > 0) add(unit::tokens, limit, 0, period, name, config, identity, s);
    };
    tokens(config.tokens_per_second, 1s, "second");
    tokens(config.tokens_per_minute, 1min, "minute");
    tokens(config.tokens_per_hour, 1h, "hour");
    tokens(config.tokens_per_day, 24h, "day");
    if (config.concurrency > 0) {
        places_max_ = static_cast<std::uint32_t>(config.concurrency);
        places_ = shared_limiter<concurrency_limiter>(s, identity, config, "concurrency");
    }
}

void quota_rule::add(unit u, std::int64_t limit, std::int64_t burst, std::chrono::seconds period,
                     std::string_view period_name, const rule_config& config, const std::string& identity,
                     services& s) {
    std::string what = u == unit::requests ? "requests per " : "tokens per ";
    what += period_name;
    windows_.push_back({u, rate(limit, period, burst), shared_limiter<rate_limiter>(s, identity, config, what),
                        std::to_string(limit) + " " + what});
}

bool quota_rule::counts_tokens() const {
    return std::any_of(windows_.begin(), windows_.end(),
                       [](const window_limit& w) { return w.counts == unit::tokens; });
}

std::uint64_t quota_rule::subject(const exchange& x, std::string_view model) const {
    switch (per_) {
        case per::tenant:
            if (!x.caller.tenant.empty()) return siphash(*hash_key_, x.caller.tenant);
            [[fallthrough]];
        case per::key:
            if (!x.caller.key_id.empty()) return siphash(*hash_key_, x.caller.key_id);
            [[fallthrough]];
        case per::ip:
            return address_subject(host_of(x.remote_address()));
        case per::model:
            return siphash(*hash_key_, model);
        case per::header:
            return siphash(*hash_key_, x.request().headers.find(header_).value_or(""));
        case per::route:
            return siphash(*hash_key_, x.route_name());
    }
    return 0;
}

std::uint64_t quota_rule::address_subject(std::string_view address) const {
    const siphash_key key = for_addresses(*hash_key_);
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address.size() >= text.size()) return siphash(key, address);
    std::copy(address.begin(), address.end(), text.begin());
    in6_addr six{};
    if (inet_pton(AF_INET6, text.data(), &six) != 1) return siphash(key, address);
    if (IN6_IS_ADDR_V4MAPPED(&six)) {
        std::array<char, INET_ADDRSTRLEN> four{};
        inet_ntop(AF_INET, &six.s6_addr[12], four.data(), four.size());
        return siphash(key, four.data());
    }
    return siphash(key, {reinterpret_cast<const char*>(six.s6_addr), 8});
}

std::string_view host_of(std::string_view address) {
    if (address.starts_with('[')) return address.substr(1, address.find(']') - 1);
    const auto colon = address.find(':');
    const bool one_colon = colon != std::string_view::npos && address.find(':', colon + 1) == std::string_view::npos;
    return one_colon ? address.substr(0, colon) : address;
}

}  // namespace sluice::quota
