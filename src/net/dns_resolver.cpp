#include "net/dns_resolver.hpp"

#include "net/address_guard.hpp"
#include "net/dns_channel.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace sluice::net {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t lookups_max = 1024;  // different names asked of DNS at once

// A coroutine that waits for a lookup, on its own frame. The timer is its deadline and its alarm clock: the
// lookup sets `outcome` and cancels the timer.
struct waiter {
    explicit waiter(const asio::any_io_executor& worker) : alarm(worker) {}
    asio::steady_timer alarm;
    std::optional<result<shared_addresses>> outcome;
};

void lower(std::string& text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
}

error not_a_host(const std::string& host) {
    return error{error_kind::upstream_dns, "cannot resolve \"" + host + "\": neither an address nor a host name"};
}

}  // namespace

// Shared with the coroutines that wait, so that either may go first.
class dns_resolver::state : public std::enable_shared_from_this<state> {
public:
    state(asio::any_io_executor worker, const clock& time, const dns_config& config)
        : config_(config), worker_(std::move(worker)), time_(time), cache_(config.cache_limits()), refresh_(worker_) {}

    std::unique_ptr<dns_channel> channel;  // null once closed
    dns_stats stats;

    dns_cache::view find(const std::string& host) { return cache_.find(host, time_.now()); }
    shared_addresses fallback(const std::string& host) const { return cache_.fallback(host, time_.now()); }
    const dns_config& config() const { return config_; }
    const asio::any_io_executor& worker() const { return worker_; }

    // Joins the lookup of `host`, or starts it; `outcome` may be set on return. False: too many wait already.
    bool join(const std::string& host, waiter& w);
    void leave(const std::string& host, waiter& w);
    // Starts a lookup that nobody waits for, unless one is under way.
    void refresh(const std::string& host);
    void close();

private:
    using waiters = std::vector<waiter*>;
    void ask(const std::string& host);
    void answered(const std::string& host, result<dns_answer> answer);
    void arm_refresh();

    // Constant after construction.
    const dns_config config_;
    const asio::any_io_executor worker_;
    const clock& time_;
    // Changes with every lookup.
    dns_cache cache_;
    std::unordered_map<std::string, waiters> lookups_;  // under way, with those who wait
    asio::steady_timer refresh_;                        // the next refresh ahead of expiry
};

result<std::unique_ptr<dns_resolver>> dns_resolver::make(asio::any_io_executor worker, const clock& time,
                                                         const dns_config& config) {
    auto s = std::make_shared<state>(worker, time, config);
    auto channel = dns_channel::make(std::move(worker), config);
    if (!channel) return channel.error();
    s->channel = std::move(*channel);
    return std::unique_ptr<dns_resolver>(new dns_resolver(std::move(s)));
}

dns_resolver::dns_resolver(std::shared_ptr<state> s) : state_(std::move(s)) {}
dns_resolver::~dns_resolver() {
    state_->close();
}

dns_stats dns_resolver::stats() const {
    return state_->stats;
}

awaitable<result<shared_addresses>> dns_resolver::resolve(std::string host, std::chrono::milliseconds wait_max) {
    const host_kind kind = classify_host(host);
    if (kind.form == host_form::invalid) co_return not_a_host(host);
    if (kind.form == host_form::literal) co_return std::make_shared<const addresses>(addresses{*kind.address});
    if (kind.form == host_form::localhost)
        co_return std::make_shared<const addresses>(
            addresses{asio::ip::address_v4::loopback(), asio::ip::address_v6::loopback()});
    lower(host);

    const std::shared_ptr<state> s = state_;  // this resolver may go while we wait
    dns_cache::view seen = s->find(host);
    if (seen.refresh) s->refresh(host);
    switch (seen.what) {
        case dns_cache::advice::use:
            ++s->stats.hits;
            co_return seen.known;
        case dns_cache::advice::use_stale:
            ++s->stats.stale_served;
            co_return seen.known;
        case dns_cache::advice::fail:
            ++s->stats.negative_hits;
            co_return *seen.failure;
        case dns_cache::advice::look_up:
            break;
    }

    waiter w{s->worker()};
    struct leave_on_exit {
        state& from;
        const std::string& host;
        waiter& w;
        ~leave_on_exit() { from.leave(host, w); }
    } guard{*s, host, w};
    w.alarm.expires_after(std::min({wait_max, s->config().timeout, seen.known ? s->config().stale_after : wait_max}));
    if (!s->join(host, w)) {
        ++s->stats.rejected;
        co_return error{error_kind::overloaded, "too many requests are waiting for the address of " + host};
    }
    if (!w.outcome) {
        const auto [ec] = co_await w.alarm.async_wait(asio::as_tuple(asio::use_awaitable));
        if (!w.outcome && ec) throw boost::system::system_error(ec);  // cancelled
    }
    if (w.outcome) co_return std::move(*w.outcome);
    if (auto old = s->fallback(host)) {
        ++s->stats.stale_served;
        co_return old;
    }
    co_return error{error_kind::upstream_dns, "cannot resolve " + host + ": no answer in time"};
}

bool dns_resolver::state::join(const std::string& host, waiter& w) {
    if (channel == nullptr) {
        w.outcome = error{error_kind::draining, "the resolver is shutting down"};
        return true;
    }
    const auto at = lookups_.find(host);
    if (at != lookups_.end()) {
        if (at->second.size() >= config_.waiters_max) return false;
        at->second.push_back(&w);
        return true;
    }
    if (lookups_.size() >= lookups_max) return false;
    lookups_[host].push_back(&w);
    ask(host);
    return true;
}

void dns_resolver::state::leave(const std::string& host, waiter& w) {
    if (const auto at = lookups_.find(host); at != lookups_.end()) std::erase(at->second, &w);
}

void dns_resolver::state::refresh(const std::string& host) {
    if (channel == nullptr || lookups_.contains(host) || lookups_.size() >= lookups_max) return;
    lookups_.try_emplace(host);
    ask(host);
}

void dns_resolver::state::ask(const std::string& host) {
    ++stats.lookups;
    // The channel is ours and drops its callbacks when it goes, so `this` outlives the lambda.
    channel->look_up(host, [this, host](result<dns_answer> answer) { answered(host, std::move(answer)); });
}

void dns_resolver::state::answered(const std::string& host, result<dns_answer> answer) {
    const auto at = lookups_.find(host);
    if (at == lookups_.end()) return;
    const waiters waiting = std::move(at->second);
    lookups_.erase(at);
    const auto now = time_.now();
    shared_addresses usable;
    if (answer) {
        usable = cache_.store(host, std::move(answer->found), answer->ttl, now);
    } else {
        ++stats.failures;
        usable = cache_.fail(host, answer.error(), now);
        if (usable) stats.stale_served += static_cast<std::int64_t>(waiting.size());
    }
    for (waiter* w : waiting) {
        if (usable) {
            w->outcome = usable;
        } else {
            w->outcome = answer.error();
        }
        w->alarm.cancel();
    }
    arm_refresh();
}

void dns_resolver::state::arm_refresh() {
    const auto next = cache_.next_refresh();
    if (!next) return;
    refresh_.expires_after(
        std::max<std::chrono::steady_clock::duration>(*next - time_.now(), std::chrono::milliseconds{1}));
    refresh_.async_wait([weak = weak_from_this()](error_code ec) {
        const auto self = weak.lock();
        if (ec || !self || self->channel == nullptr) return;
        for (const auto& host : self->cache_.take_due(self->time_.now())) self->refresh(host);
        self->arm_refresh();
    });
}

void dns_resolver::state::close() {
    refresh_.cancel();
    channel.reset();
    for (auto& [host, waiting] : std::exchange(lookups_, {})) {
        for (waiter* w : waiting) {
            w->outcome = error{error_kind::draining, "the resolver is shutting down"};
            w->alarm.cancel();
        }
    }
}

}  // namespace sluice::net
