// A pool of model servers: which there are, from which source, in which state, and the picker that learns about them.
// Shared by all workers, kept over reloads.
//
// The way of a request reads version() and, when that has changed, takes view(): nothing else of it locks. All other
// calls are for the control side (configuration, admin API, checks) and take the pool's mutex for microseconds.
#pragma once

#include "routing/admission/pool_admission.hpp"
#include "routing/picker/endpoint_picker.hpp"
#include "routing/pools/endpoint_life.hpp"
#include "routing/pools/pool_config.hpp"
#include "routing/pools/pool_view.hpp"
#include "routing/signals/model_list.hpp"
#include "routing/signals/server_report.hpp"

#include <sluice/result.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::routing {

// Who says that an endpoint exists. One that two name belongs to the first who did.
enum class endpoint_source : std::uint8_t { config, file, dns, admin };
std::string_view to_string(endpoint_source s);

// One endpoint, as the admin API shows it.
struct endpoint_info {
    endpoint_config config;
    std::string id;
    endpoint_source from = endpoint_source::config;
    endpoint_phase phase = endpoint_phase::pending;
    double phase_age_s = 0;
    std::string problem;  // of the last check; empty: none
    bool ejected = false;
    picker::load_reading load;  // ours
    picker::step_rates rates;   // learned
    double index_fill = 0;
    std::int64_t limit = 0;                       // requests it may have now; 0: any number
    double round_trip_s = 0, cluster_age_s = -1;  // of a cluster; of its last report, negative: none
    std::int64_t cluster_servers = 0, cluster_queued = 0;
    signals::server_report report;
    double report_age_s = -1;  // negative: none
    signals::served_models models;
};

// How full a pool is, for admission: what is under way over the limits of its endpoints.
double saturation(const pool_view& v, const picker::endpoint_picker& p);

struct pool_totals {
    std::array<std::size_t, endpoint_phases> by_phase{};
    bool panic = false;
    std::size_t named = 0;  // endpoints that only an outside picker knows
    std::size_t queued = 0;
};

class endpoint_pool {
public:
    using time_point = std::chrono::steady_clock::time_point;

    // `config` gives the sizes that stay; the rest comes with configure().
    endpoint_pool(std::string name, const pool_config& config);

    // --- on the way of a request: any thread ------------------------------------------------------------------
    picker::endpoint_picker& picker() { return picker_; }
    std::uint64_t version() const { return version_.load(std::memory_order_acquire); }
    std::shared_ptr<const pool_view> view() const;
    // The queue of these settings; null without any. Takes the mutex: not per request.
    std::shared_ptr<admission::pool_admission> admission_for(const pool_config& config);
    // An address ("10.0.0.1:8000") that an outside picker named and that is in no view: an endpoint that nobody else
    // chooses or checks, with a slot, so that its requests are counted. It is forgotten a minute after it was last
    // named, sooner when its slot is needed. Null: it is an endpoint of the pool that is not ready, or no slot is free.
    // Takes the mutex.
    std::shared_ptr<const pool_member> admit(const std::string& authority, time_point now);
    // An endpoint was ejected by its failures.
    void ejected(time_point until);
    // Is any endpoint ejected? If not, nobody need look at each.
    bool any_ejected(time_point now) const { return ticks(now) < ejected_until_.load(std::memory_order_relaxed); }

    // --- control side ----------------------------------------------------------------------------------------
    const std::string& name() const { return name_; }
    // Rules and addresses of a configuration, its endpoints and those of its file. `address` is what the pool's
    // endpoints have in common: transport, timeouts, provider's name. What could not be taken in (no slot free) is
    // told.
    std::vector<std::string> configure(const pool_config& config, const upstream_endpoint& address,
                                       std::span<const endpoint_config> file, time_point now);
    // All that a source knows now; what it no longer names is gone.
    std::vector<std::string> set_source(endpoint_source from, std::span<const endpoint_config> all, time_point now);

    // The admin API. Error: bad_request, not_found or conflict (bad_request with a message) by `kind`.
    result<std::string> add(const endpoint_config& e, time_point now);  // returns its id
    result<void> change(std::string_view id, const endpoint_config& e, time_point now);
    result<void> remove(std::string_view id, time_point now);
    result<void> drain(std::string_view id, std::optional<std::chrono::milliseconds> timeout, time_point now);
    result<void> take_offline(std::string_view id, time_point now);
    result<void> bring_online(std::string_view id, time_point now);
    std::vector<endpoint_info> list(time_point now) const;
    std::optional<endpoint_info> find(std::string_view id, time_point now) const;
    pool_totals totals() const;
    // What other gateways are told of its load.
    clusters::cluster_report load_report() const;

    // What the admin API changed, as text for a file, and back. restore() comes once, after the first configure().
    std::string saved() const;
    result<void> restore(std::string_view text, time_point now);

    // --- for the keeper: checks and polls -------------------------------------------------------------------
    struct watched {
        std::shared_ptr<const pool_member> member;
        endpoint_phase phase;
    };
    std::vector<watched> watch_list() const;  // all that are not offline
    void checked(std::string_view id, bool well, std::string problem, std::optional<signals::served_models> models,
                 time_point now);
    void reported(std::string_view id, const signals::server_report& report, time_point now);
    void tick(time_point now);
    // Ends what waited too long for an endpoint. Often: several times a second.
    void expire(time_point now);

private:
    struct entry {
        endpoint_config config;
        endpoint_source from;
        std::shared_ptr<const pool_member> member;
        endpoint_life life;
        std::string problem;
        signals::served_models models;
        signals::server_report report;
        std::optional<time_point> reported_at;
    };

    entry* find_entry(std::string_view id);
    const entry* find_entry(std::string_view id) const { return const_cast<endpoint_pool*>(this)->find_entry(id); }
    result<entry*> must_find(std::string_view id);
    // All below: with the mutex held.
    result<void> put(endpoint_source from, const endpoint_config& e, std::uint32_t slot,
                     std::shared_ptr<member_state> state, entry* into, time_point now);
    result<void> insert(endpoint_source from, const endpoint_config& e, time_point now);
    std::vector<std::string> replace_source(endpoint_source from, std::span<const endpoint_config> all, time_point now);
    std::optional<std::uint32_t> free_slot() const;
    std::optional<std::uint32_t> make_room();
    void prepare_slot(std::uint32_t slot);
    bool is_endpoint(const pool_member& m) const;
    bool forget_named(time_point now);
    result<std::shared_ptr<const pool_member>> make_member(const endpoint_config& e, std::uint32_t slot,
                                                           std::shared_ptr<member_state> state) const;
    void set_capacity(const entry& e);
    picker::pool_endpoint picked(const entry& e, double weight) const;
    endpoint_info describe(const entry& e, time_point now) const;
    life_rules rules() const;
    std::shared_ptr<admission::pool_admission> admission_of(const pool_config& config);
    std::int64_t limit_of(const entry& e) const;
    bool limits_moved() const;
    bool standbys_serve(time_point now);
    void publish(time_point now);
    void replace_admission(std::shared_ptr<admission::pool_admission> by);
    void tell_room(time_point now);
    template <class F>
    void for_each_queue(F f) const;

    const std::string name_;
    const std::size_t slots_;
    picker::endpoint_picker picker_;
    std::atomic<std::uint64_t> version_{0};
    std::atomic<std::int64_t> ejected_until_{0};

    mutable std::mutex mutex_;  // guards the rest
    pool_config config_;
    upstream_endpoint address_;
    std::vector<std::unique_ptr<entry>> entries_;
    bool on_standby_ = false;
    std::vector<std::shared_ptr<const pool_member>> named_;  // see admit()
    std::set<std::string, std::less<>> withdrawn_;  // ids taken out by hand: they stay so when they leave and come back
    std::shared_ptr<const pool_view> view_;
    std::shared_ptr<admission::pool_admission> admission_;
    std::vector<std::weak_ptr<admission::pool_admission>> replaced_;  // by other settings, while requests wait there
};

}  // namespace sluice::routing
