#include "net/dns_cache.hpp"

#include <algorithm>
#include <cassert>

namespace sluice::net {

dns_cache::view dns_cache::find(std::string_view host, time_point now) {
    const auto at = names_.find(host);
    if (at == names_.end()) return {};
    entry& e = touch(host, now);
    e.used = now;
    const bool failing = e.failure && now < e.failed_until;
    if (e.known && now < e.expires) return {advice::use, e.known, std::nullopt, e.refresh_at && *e.refresh_at <= now};
    if (e.known && e.failure && may_serve_stale(e, now)) return {advice::use_stale, e.known, std::nullopt, !failing};
    if (failing) return {advice::fail, nullptr, e.failure, false};
    return {advice::look_up, may_serve_stale(e, now) ? e.known : nullptr, std::nullopt, false};
}

shared_addresses dns_cache::store(std::string_view host, addresses found, std::chrono::seconds ttl, time_point now) {
    assert(!found.empty());
    entry& e = touch(host, now);
    const auto life = std::clamp<std::chrono::milliseconds>(ttl, limits_.ttl_min, limits_.ttl_max);
    // The same answer keeps the same object, so that holders can compare pointers to see a change.
    if (!e.known || *e.known != found) e.known = std::make_shared<const addresses>(std::move(found));
    e.expires = now + life;
    e.refresh_at = now + life * 4 / 5;
    e.failure.reset();
    return e.known;
}

shared_addresses dns_cache::fail(std::string_view host, error why, time_point now) {
    entry& e = touch(host, now);
    e.failure = std::move(why);
    e.failed_until = now + limits_.negative;
    const bool usable = (e.known && now < e.expires) || may_serve_stale(e, now);
    if (!usable) {
        e.refresh_at.reset();
        return nullptr;
    }
    // Ask again while somebody uses the name, but slower than a name that nobody can serve.
    e.refresh_at = now + std::max(limits_.negative, limits_.ttl_min);
    return e.known;
}

shared_addresses dns_cache::fallback(std::string_view host, time_point now) const {
    const auto at = names_.find(host);
    if (at == names_.end() || !may_serve_stale(at->second, now)) return nullptr;
    return at->second.known;
}

std::optional<dns_cache::time_point> dns_cache::next_refresh() const {
    std::optional<time_point> next;
    for (const auto& [host, e] : names_)
        if (e.refresh_at && (!next || *e.refresh_at < *next)) next = e.refresh_at;
    return next;
}

std::vector<std::string> dns_cache::take_due(time_point now) {
    std::vector<std::string> due;
    for (auto& [host, e] : names_) {
        if (!e.refresh_at || now < *e.refresh_at) continue;
        e.refresh_at.reset();
        if (now - e.used < limits_.idle) due.push_back(host);
    }
    return due;
}

dns_cache::entry& dns_cache::touch(std::string_view host, time_point now) {
    if (const auto at = names_.find(host); at != names_.end()) {
        recent_.splice(recent_.begin(), recent_, at->second.recent);
        return at->second;
    }
    while (!recent_.empty() && names_.size() >= limits_.names_max) {
        names_.erase(recent_.back());
        recent_.pop_back();
    }
    recent_.emplace_front(host);
    entry& e = names_[recent_.front()];
    e.used = now;
    e.recent = recent_.begin();
    return e;
}

bool dns_cache::may_serve_stale(const entry& e, time_point now) const {
    return e.known != nullptr && now < e.expires + limits_.stale;
}

}  // namespace sluice::net
