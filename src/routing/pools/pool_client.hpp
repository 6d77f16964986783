// A pool as one worker uses it: chooses an endpoint for a request and counts the request there.
#pragma once

#include "base/random.hpp"
#include "routing/callout/pick_callout.hpp"
#include "routing/clusters/spill_gate.hpp"
#include "routing/pools/endpoint_pool.hpp"
#include "routing/pools/picker_service.hpp"

#include <sluice/metrics.hpp>
#include <sluice/services.hpp>

#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace sluice::routing {

struct provider;
class pool_call;

// The pool of a provider that is one: shared by all workers, made by the first who asks.
std::shared_ptr<endpoint_pool> pool_of(const provider& p, services& s);

// What a worker holds of a pool's view. Its own object, so that requests that keep it count on no line that other
// workers write.
struct held_view {
    std::shared_ptr<const pool_view> of;
};

// An endpoint that was chosen and has the request in its counters.
struct placement {
    std::shared_ptr<const void> keeps;  // `member` lives as long as this
    const pool_member* member = nullptr;
    picker::ticket ticket;
    double ttft_s = 0;  // expected time to first token
};

// Belongs to one worker.
class pool_client {
public:
    pool_client(const provider& p, services& s);

    const pool_config& config() const { return config_; }
    endpoint_pool& pool() { return *pool_; }
    services& common() { return services_; }

    // Is the prompt worth looking at? For the picker and for hashing it is.
    bool wants_prompt() const { return config_.by == balancing::picker || config_.by == balancing::hash; }
    // LoRA adapters that some endpoint has.
    bool knows_adapter(std::uint64_t name);
    // Is there an endpoint besides those in `tried`? With `strict`, one that is not ejected. True where an
    // outside picker may name others.
    bool any_left(const picker::slot_set& tried, bool strict, steady_time now);

    // The endpoint it would go to, or why there is none. Counts nothing.
    picker::pick_result choose(const picker::request_features& f, const picker::slot_set& tried, steady_time now);
    // Counts the request there. `choice` was made by choose() and nothing was awaited since; choice.count > 0. `f` is
    // needed until the call is over.
    placement take(picker::pick_result& choice, const picker::request_features& f, steady_time now);

    // Counts a request at an endpoint that somebody else chose.
    placement place_at(const std::shared_ptr<const pool_member>& member, const picker::request_features& f,
                       steady_time now);
    const pool_view& current() { return view(); }

    // The pool's queue; null: it has none.
    const std::shared_ptr<admission::pool_admission>& admission() const { return admission_; }
    double saturation() { return routing::saturation(view(), pool_->picker()); }
    // An endpoint has one request less: lets one that waits for it try.
    void gave_room(steady_time now);
    const upstream_endpoint& address() const { return address_; }
    // The outside picker; null: there is none.
    const std::shared_ptr<picker_service>& service() const { return service_; }

    // The callout's counters and kept answers; null: there is none.
    struct callout_state {
        counter& picked;
        counter& cached;
        counter& denied;
        counter& failed;
        counter& native;
        counter& unknown_endpoints;
        std::shared_ptr<circuit_breaker> breaker;
        callout::verdict_cache kept{10'000};
    };
    callout_state* callout() { return callout_ ? &*callout_ : nullptr; }

    // --- calls whose first token nobody sees; see endpoint_picker::on_prompt_computed ---
    using expected_starts = std::multimap<steady_time, pool_call*>;
    expected_starts::iterator expect_start(pool_call& c, steady_time at) { return starts_.emplace(at, &c); }
    void forget_start(expected_starts::iterator at) { starts_.erase(at); }
    expected_starts::iterator no_start() { return starts_.end(); }

    counter& picks;
    // Requests that got none, by the reason of admission::verdict; empty: it was not for load.
    counter& refusals(std::string_view reason);
    counter& spilled;          // to clusters that are not near
    counter& kept_by_hops;     // refused with no endpoint but clusters left, as they were sent on as often as may be
    histogram& queue_seconds;  // of those that waited and got one
    counter& prompt_tokens;    // of calls whose usage came
    counter& cached_tokens;    // of those, kept by the endpoint
    counter& expected_cached;  // of those, as the picker thought
    counter& restarts;

private:
    const pool_view& view();
    // Those tried, and those ejected, unless that would be more than half.
    picker::slot_set left_out(const picker::slot_set& tried, const pool_view& v, steady_time now) const;
    // Those left out and, as long as there are others, the standbys that rest.
    static picker::slot_set without_standbys(const picker::slot_set& out, const pool_view& v);
    picker::pick_result choose_among(const picker::request_features& f, const picker::slot_set& out, steady_time now);
    picker::pick_result choose_remote(const picker::request_features& f, const picker::slot_set& out, steady_time now);
    picker::pick_result choose_by_turn(const picker::request_features& f, const picker::slot_set& out, steady_time now);
    picker::choice balance(const picker::request_features& f);
    void settle_starts(steady_time now);

    const pool_config& config_;  // of the provider, which outlives this
    services& services_;
    const std::shared_ptr<endpoint_pool> pool_;
    const std::shared_ptr<admission::pool_admission> admission_;
    const upstream_endpoint address_;  // stands for an endpoint until there is one
    std::shared_ptr<picker_service> service_;
    std::optional<callout_state> callout_;
    std::shared_ptr<const held_view> held_;
    expected_starts starts_;
    clusters::spill_gate gate_;

    random_source random_;
    picker::round_robin turn_;
    picker::least_request least_;
    picker::two_choices two_;
    picker::peak_ewma ewma_;
    picker::bounded_hash hash_{1.25};
    picker::sticky_sessions sessions_{64 << 10};
    std::vector<picker::balanced> readings_;  // of the view's endpoints, while one is chosen
};

// One request at one endpoint, from its choice to its end: watches the answer's first byte, and tells the picker what
// came out. Lives on the frame of the attempt.
class pool_call final : public observer {
public:
    // `at`, `f` and `x` outlive it.
    pool_call(pool_client& at, placement where, const picker::request_features& f, exchange& x);
    ~pool_call();  // a call that was not finished has failed
    pool_call(const pool_call&) = delete;
    pool_call& operator=(const pool_call&) = delete;

    const pool_member& member() const { return *where_.member; }
    void see_head(const response_head& h) override;
    void see(const event& e) override;
    // The attempt is over; x says how.
    void finish();
    // By now its prompt is computed, and nobody expects that any more.
    void start_came();

private:
    void stop_expecting();
    void learn(steady_time now);

    pool_client& at_;
    placement where_;
    const picker::request_features& features_;
    exchange& x_;
    std::int64_t inflight_;  // at the endpoint when it was sent, itself included
    pool_client::expected_starts::iterator start_;
    bool expects_start_ = false, finished_ = false;
    steady_time sent_;
};

}  // namespace sluice::routing
