// Which endpoints there are, and what workers see of them. What the admin API asks is in endpoint_pool_admin.cpp.
#include "routing/pools/endpoint_pool.hpp"

#include "http/authority.hpp"
#include "http/url.hpp"

#include <algorithm>
#include <set>

namespace sluice::routing {

std::string_view to_string(endpoint_source s) {
    constexpr std::array<std::string_view, 4> names{"config", "file", "dns", "admin"};
    return names[static_cast<std::size_t>(s)];
}

namespace {

picker::picker_options options_of(const pool_config& config) {
    picker::picker_options o;
    o.index.endpoints = config.picking.endpoints;
    o.index.memory_max = config.picking.index_bytes.value;
    o.rates = config.picking.rates;
    o.stale_after_s = std::chrono::duration<double>(config.load.stale_after).count();
    return o;
}

void add_missing(std::vector<std::uint64_t>& names, std::uint64_t name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

}  // namespace

endpoint_pool::endpoint_pool(std::string name, const pool_config& config)
    : name_(std::move(name)),
      slots_(config.picking.endpoints),
      picker_(options_of(config)),
      view_(std::make_shared<const pool_view>()) {}

std::shared_ptr<const pool_view> endpoint_pool::view() const {
    const std::lock_guard lock(mutex_);
    return view_;
}

void endpoint_pool::ejected(time_point until) {
    std::int64_t old = ejected_until_.load(std::memory_order_relaxed);
    while (old < ticks(until) && !ejected_until_.compare_exchange_weak(old, ticks(until), std::memory_order_relaxed)) {
    }
}

// --- admission ------------------------------------------------------------------------------------------------------

double saturation(const pool_view& v, const picker::endpoint_picker& p) {
    std::array<admission::endpoint_fill, picker::endpoints_max> fills;
    std::size_t n = 0;
    for (const picker::pool_endpoint& e : v.picks.endpoints) {
        if (n < fills.size()) fills[n++] = {p.load(e.slot).inflight, e.concurrency_max};
    }
    return admission::saturation({fills.data(), n});
}

std::shared_ptr<admission::pool_admission> endpoint_pool::admission_for(const pool_config& config) {
    const std::lock_guard lock(mutex_);
    return admission_of(config);
}

std::shared_ptr<admission::pool_admission> endpoint_pool::admission_of(const pool_config& config) {
    if (!config.admission) {
        replace_admission(nullptr);
    } else if (const auto& a = *config.admission;
               admission_ == nullptr || !admission_->made_from(a.queue, a.capacity, slots_)) {
        replace_admission(std::make_shared<admission::pool_admission>(a.queue, a.capacity, slots_));
    }
    return admission_;
}

void endpoint_pool::replace_admission(std::shared_ptr<admission::pool_admission> by) {
    std::erase_if(replaced_, [](const auto& r) { return r.expired(); });
    if (admission_ != nullptr) replaced_.push_back(admission_);
    admission_ = std::move(by);
}

template <class F>
void endpoint_pool::for_each_queue(F f) const {
    if (admission_ != nullptr) f(admission_->queue);
    for (const auto& r : replaced_) {
        if (const auto a = r.lock()) f(a->queue);
    }
}

// What the operator allows, and what was learned.
std::int64_t endpoint_pool::limit_of(const entry& e) const {
    const std::int64_t fixed = e.config.max_requests;
    if (admission_ == nullptr) return fixed;
    const std::int64_t learned = admission_->limit(e.member->slot);
    return fixed > 0 ? std::min(fixed, learned) : learned;
}

bool endpoint_pool::limits_moved() const {
    if (admission_ == nullptr) return false;
    for (std::size_t i = 0; i < view_->members.size(); ++i) {
        const entry* const e = find_entry(view_->members[i]->id);
        if (e != nullptr && limit_of(*e) != view_->picks.endpoints[i].concurrency_max) return true;
    }
    return false;
}

void endpoint_pool::tell_room(time_point now) {
    for_each_queue([&](admission::pool_queue& q) {
        if (q.awaited()) q.room(now, saturation(*view_, picker_));
    });
}

void endpoint_pool::expire(time_point now) {
    const std::lock_guard lock(mutex_);
    for_each_queue([&](admission::pool_queue& q) { q.expire(now); });
}

// --- membership -----------------------------------------------------------------------------------------------------

life_rules endpoint_pool::rules() const {
    return {.checked = !config_.check.path.empty(),
            .unhealthy_after = config_.check.unhealthy_after,
            .healthy_after = config_.check.healthy_after,
            .failed_after = config_.check.failed_after,
            .slow_start = config_.slow_start};
}

endpoint_pool::entry* endpoint_pool::find_entry(std::string_view id) {
    for (const auto& e : entries_) {
        if (e->member->id == id) return e.get();
    }
    return nullptr;
}

// A slot that nobody has, and at which nothing of its last endpoint is under way any more.
std::optional<std::uint32_t> endpoint_pool::free_slot() const {
    for (std::uint32_t slot = 0; slot < slots_; ++slot) {
        const bool taken =
            std::any_of(entries_.begin(), entries_.end(), [&](const auto& e) { return e->member->slot == slot; }) ||
            std::any_of(named_.begin(), named_.end(), [&](const auto& m) { return m->slot == slot; });
        if (!taken && picker_.load(slot).inflight == 0) return slot;
    }
    return std::nullopt;
}

result<std::shared_ptr<const pool_member>> endpoint_pool::make_member(const endpoint_config& e, std::uint32_t slot,
                                                                      std::shared_ptr<member_state> state) const {
    const auto url = http::parse_url(e.url);
    if (!url) return error{error_kind::bad_request, url.error().message, "url"};
    auto m = std::make_shared<pool_member>();
    m->id = e.id.empty() ? http::write_authority(url->host, url->port) : e.id;
    m->name = picker::name_hash(m->id);
    m->slot = slot;
    m->url = e.url;
    while (m->url.ends_with('/')) m->url.pop_back();
    m->labels = e.labels;
    m->weight = e.weight;
    m->cluster = e.cluster.has_value();
    m->remote = m->cluster && !e.cluster->home;
    if (m->cluster) m->load_path = e.cluster->load_path;
    m->state = std::move(state);
    upstream_endpoint& a = m->address;
    a = address_;
    a.name = m->id;
    a.tls = url->tls;
    a.host = url->host;
    a.port = url->port;
    a.host_header = url->authority();
    a.base_path = url->path_and_query;
    while (a.base_path.ends_with('/')) a.base_path.pop_back();
    a.base_path += config_.api_path;
    a.pool_key = address_.pool_key + ' ' + url->scheme + "://" + a.host_header;
    return std::shared_ptr<const pool_member>(std::move(m));
}

void endpoint_pool::set_capacity(const entry& e) {
    std::int64_t tokens = e.config.kv_tokens;
    if (tokens == 0) tokens = e.report.kv_tokens;
    if (tokens <= 0) tokens = config_.picking.kv_tokens;
    picker_.set_kv_capacity(e.member->slot, tokens, 0);
}

void endpoint_pool::prepare_slot(std::uint32_t slot) {
    picker_.reset(slot, config_.picking.rates);
    if (admission_ != nullptr) admission_->capacity(slot).reset();
}

result<void> endpoint_pool::insert(endpoint_source from, const endpoint_config& config, time_point now) {
    const auto slot = make_room();
    if (!slot) {
        return error{error_kind::overloaded,
                     "the pool has room for " + std::to_string(slots_) + " endpoints (picker: {endpoints: ...})"};
    }
    auto member = make_member(config, *slot, std::make_shared<member_state>());
    if (!member) return member.error();
    if (find_entry((*member)->id) != nullptr) {
        return error{error_kind::bad_request, "there is already an endpoint \"" + (*member)->id + "\"", "id"};
    }
    prepare_slot(*slot);
    entries_.push_back(std::make_unique<entry>(
        entry{config, from, std::move(*member), endpoint_life(rules(), now), {}, {}, {}, std::nullopt}));
    set_capacity(*entries_.back());
    if (withdrawn_.contains(entries_.back()->member->id)) entries_.back()->life.offline(now);
    return {};
}

std::vector<std::string> endpoint_pool::replace_source(endpoint_source from, std::span<const endpoint_config> all,
                                                       time_point now) {
    std::vector<std::string> problems;
    std::set<std::string> named;
    for (const endpoint_config& e : all) {
        auto fresh = make_member(e, 0, nullptr);
        if (!fresh) {
            problems.push_back(e.url + ": " + fresh.error().message);
            continue;
        }
        const std::string id = (*fresh)->id;
        named.insert(id);
        if (entry* known = find_entry(id)) {
            if (known->from != from) continue;
            auto again = make_member(e, known->member->slot, known->member->state);
            known->config = e;
            known->member = std::move(*again);
            known->life.set_rules(rules(), now);
            set_capacity(*known);
        } else if (const auto done = insert(from, e, now); !done) {
            problems.push_back(id + ": " + done.error().message);
        }
    }
    std::erase_if(entries_, [&](const auto& e) { return e->from == from && !named.contains(e->member->id); });
    return problems;
}

std::vector<std::string> endpoint_pool::configure(const pool_config& config, const upstream_endpoint& address,
                                                  std::span<const endpoint_config> file, time_point now) {
    const std::lock_guard lock(mutex_);
    config_ = config;
    address_ = address;
    named_.clear();  // they were made for the old one
    admission_of(config);
    auto problems = replace_source(endpoint_source::config, config.endpoints, now);
    for (std::string& p : replace_source(endpoint_source::file, file, now)) problems.push_back(std::move(p));
    // Those of other sources, by the new rules and transport.
    for (const auto& e : entries_) {
        if (e->from == endpoint_source::config || e->from == endpoint_source::file) continue;
        if (auto again = make_member(e->config, e->member->slot, e->member->state)) e->member = std::move(*again);
        e->life.set_rules(rules(), now);
        set_capacity(*e);
    }
    if (!config.dns) std::erase_if(entries_, [](const auto& e) { return e->from == endpoint_source::dns; });
    publish(now);
    return problems;
}

std::vector<std::string> endpoint_pool::set_source(endpoint_source from, std::span<const endpoint_config> all,
                                                   time_point now) {
    const std::lock_guard lock(mutex_);
    auto problems = replace_source(from, all, now);
    publish(now);
    return problems;
}

// --- what is seen ---------------------------------------------------------------------------------------------------

picker::pool_endpoint endpoint_pool::picked(const entry& e, double weight) const {
    picker::pool_endpoint p;
    p.id = e.member->id;
    p.slot = e.member->slot;
    p.weight = weight;
    p.kv_tokens = e.config.kv_tokens > 0   ? e.config.kv_tokens
                  : e.report.kv_tokens > 0 ? e.report.kv_tokens
                                           : config_.picking.kv_tokens;
    p.context_max = e.models.context_max;
    p.concurrency_max = limit_of(e);
    for (const std::string& name : e.models.adapters) p.adapters_known.push_back(picker::name_hash(name));
    for (const std::string& name : e.report.adapters_active) p.adapters_active.push_back(picker::name_hash(name));
    if (e.report.adapter_slots >= 0) {
        p.adapter_slots_free =
            std::max<std::int64_t>(0, e.report.adapter_slots - static_cast<std::int64_t>(p.adapters_active.size()));
    }
    return p;
}

// Standbys come in when no active endpoint is ready, and rest when one has been for a while: it may fail again.
bool endpoint_pool::standbys_serve(time_point now) {
    bool standby = false, active = false, settled = false;
    for (const auto& e : entries_) {
        if (e->life.phase() != endpoint_phase::ready) continue;
        standby |= e->config.standby;
        active |= !e->config.standby;
        settled |= !e->config.standby && now - e->life.since() >= config_.spill.standby_hold;
    }
    return standby && (!active || (on_standby_ && !settled));
}

void endpoint_pool::publish(time_point now) {
    auto view = std::make_shared<pool_view>();
    std::size_t ready = 0, usable = 0;
    for (const auto& e : entries_) {
        if (e->config.standby) continue;
        ready += static_cast<std::size_t>(e->life.phase() == endpoint_phase::ready);
        usable += static_cast<std::size_t>(!e->life.withdrawn());
    }
    on_standby_ = standbys_serve(now);
    view->panic = !on_standby_ && ready * 100 < usable * static_cast<std::size_t>(config_.panic_percent);
    for (const auto& e : entries_) {
        const bool serves = e->life.phase() == endpoint_phase::ready || (view->panic && !e->life.withdrawn());
        if (!serves) continue;
        if (e->config.standby && !on_standby_) view->standbys.set(e->member->slot);
        if (e->member->cluster) view->clusters.set(e->member->slot);
        if (e->member->remote) view->remotes.set(e->member->slot);
        view->picks.endpoints.push_back(picked(*e, view->panic ? 1 : e->life.ramp(now)));
        view->members.push_back(e->member);
        const picker::pool_endpoint& p = view->picks.endpoints.back();
        for (const std::uint64_t a : p.adapters_known) add_missing(view->adapters, a);
        for (const std::uint64_t a : p.adapters_active) add_missing(view->adapters, a);
    }
    std::erase_if(named_, [&](const auto& m) { return is_endpoint(*m); });
    view->named = named_;
    view->version = version_.load(std::memory_order_relaxed) + 1;
    view_ = std::move(view);
    version_.store(view_->version, std::memory_order_release);
    tell_room(now);
}

// --- checks and polls -----------------------------------------------------------------------------------------------

std::vector<endpoint_pool::watched> endpoint_pool::watch_list() const {
    const std::lock_guard lock(mutex_);
    std::vector<watched> list;
    for (const auto& e : entries_) {
        if (e->life.phase() != endpoint_phase::offline) list.push_back({e->member, e->life.phase()});
    }
    return list;
}

void endpoint_pool::checked(std::string_view id, bool well, std::string problem,
                            std::optional<signals::served_models> models, time_point now) {
    const std::lock_guard lock(mutex_);
    entry* const e = find_entry(id);
    if (e == nullptr) return;
    e->problem = std::move(problem);
    const endpoint_phase before = e->life.phase();
    bool changed = e->life.checked(well, now);
    const bool was_down = before == endpoint_phase::not_ready || before == endpoint_phase::failed;
    if (was_down && e->life.phase() == endpoint_phase::ready) e->member->state->health.recovered();
    if (models && *models != e->models) {
        e->models = std::move(*models);
        changed = true;
    }
    if (changed) publish(now);
}

void endpoint_pool::reported(std::string_view id, const signals::server_report& report, time_point now) {
    const std::lock_guard lock(mutex_);
    entry* const e = find_entry(id);
    if (e == nullptr) return;
    picker_.on_metrics(e->member->slot, {report.kv_use, report.running, report.waiting}, now);
    // Another process than before keeps nothing of the prompts.
    if (e->report.started > 0 && report.started > e->report.started + 1) picker_.on_restart(e->member->slot);
    const bool changed = report.kv_tokens != e->report.kv_tokens ||
                         report.adapters_active != e->report.adapters_active ||
                         report.adapter_slots != e->report.adapter_slots;
    e->report = report;
    e->reported_at = now;
    if (!changed) return;
    set_capacity(*e);
    publish(now);
}

clusters::cluster_report endpoint_pool::load_report() const {
    const std::lock_guard lock(mutex_);
    clusters::cluster_report r;
    r.step_s = r.prefill_token_s = 0;
    for (const auto& m : view_->members) {
        if (m->cluster) continue;  // another's servers are not ours to offer
        const picker::load_reading load = picker_.load(m->slot);
        const picker::step_rates rates = picker_.rates(m->slot);
        ++r.servers;
        r.inflight += load.inflight;
        r.prefill_tokens += load.prefill_tokens;
        r.context_tokens += load.context_tokens;
        r.step_s += rates.c0_s;
        r.prefill_token_s += rates.cp_s;
    }
    if (r.servers > 0) {
        r.step_s /= static_cast<double>(r.servers);
        r.prefill_token_s /= static_cast<double>(r.servers);
    }
    if (admission_ != nullptr) r.queued = static_cast<std::int64_t>(admission_->queue.size());
    return r;
}

void endpoint_pool::tick(time_point now) {
    const std::lock_guard lock(mutex_);
    bool changed = false;
    for (const auto& e : entries_) changed |= e->life.tick(picker_.load(e->member->slot).inflight, now);
    changed |= forget_named(now);
    if (changed || on_standby_ || limits_moved()) {
        publish(now);
    } else {
        tell_room(now);
    }
}

pool_totals endpoint_pool::totals() const {
    const std::lock_guard lock(mutex_);
    pool_totals t;
    for (const auto& e : entries_) ++t.by_phase[static_cast<std::size_t>(e->life.phase())];
    t.panic = view_->panic;
    t.named = named_.size();
    for_each_queue([&](const admission::pool_queue& q) { t.queued += q.size(); });
    return t;
}

}  // namespace sluice::routing
