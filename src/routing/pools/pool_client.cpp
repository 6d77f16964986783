#include "routing/pools/pool_client.hpp"

#include "routing/model_table.hpp"

#include <algorithm>
#include <array>

namespace sluice::routing {
namespace {

constexpr std::array waits_s{0.01, 0.05, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0};

counter& count(metrics& m, const std::string& pool, std::string_view name, std::string_view help) {
    return m.get_counter(name, help, {{"pool", pool}});
}

upstream_endpoint template_of(const provider& p) {
    upstream_endpoint e = p.address;
    e.base_path = p.pool->api_path;
    return e;
}

double tokens_of(const picker::request_features& f) {
    if (f.prompt_tokens > 0) return static_cast<double>(f.prompt_tokens);
    return static_cast<double>(f.prompt_bytes) / picker::model_statistics::bytes_per_token_prior;
}

}  // namespace

std::shared_ptr<endpoint_pool> pool_of(const provider& p, services& s) {
    return s.shared<endpoint_pool>("pool " + p.config.name,
                                   [&] { return std::make_shared<endpoint_pool>(p.config.name, *p.pool); });
}

pool_client::pool_client(const provider& p, services& s)
    : picks(count(s.metrics(), p.config.name, "sluice_pool_picks_total", "Requests that were given an endpoint.")),
      spilled(count(s.metrics(), p.config.name, "sluice_pool_spilled_total",
                    "Requests that were given to a cluster that is not near.")),
      kept_by_hops(count(s.metrics(), p.config.name, "sluice_pool_hop_refusals_total",
                         "Requests of other gateways for which only further clusters were left.")),
      queue_seconds(s.metrics().get_histogram("sluice_pool_queue_seconds",
                                              "Time in the queue, of requests that waited and were given an endpoint.",
                                              waits_s, {{"pool", p.config.name}})),
      prompt_tokens(count(s.metrics(), p.config.name, "sluice_pool_prompt_tokens_total",
                          "Prompt tokens of answers that reported their usage.")),
      cached_tokens(count(s.metrics(), p.config.name, "sluice_pool_cached_tokens_total",
                          "Of those, tokens that the endpoint had kept.")),
      expected_cached(count(s.metrics(), p.config.name, "sluice_pool_expected_cached_tokens_total",
                            "Of those, tokens that the picker expected there.")),
      restarts(count(s.metrics(), p.config.name, "sluice_pool_restarts_detected_total",
                     "Endpoints that turned out to have lost what they kept.")),
      config_(*p.pool),
      services_(s),
      pool_(pool_of(p, s)),
      admission_(pool_->admission_for(config_)),
      address_(template_of(p)),
      held_(std::make_shared<held_view>(held_view{pool_->view()})),
      gate_(config_.spill),
      random_(random_source::from_system()),
      least_(random_.next()),
      two_(random_.next()),
      ewma_(random_.next()) {
    if (config_.callout) {
        const auto outcome = [&](std::string_view which) -> counter& {
            return s.metrics().get_counter("sluice_picker_callout_requests_total",
                                           "Requests about which a pool's callout was asked.",
                                           {{"pool", p.config.name}, {"outcome", which}});
        };
        callout_.emplace(
            callout_state{outcome("picked"), outcome("cached"), outcome("denied"), outcome("failed"), outcome("native"),
                          count(s.metrics(), p.config.name, "sluice_picker_callout_unknown_endpoints_total",
                                "Endpoints that were named and are none of the pool."),
                          s.shared<circuit_breaker>("picker callout " + p.config.name + ' ' + config_.callout->url,
                                                    [] { return std::make_shared<circuit_breaker>(); })});
    }
    if (!p.picker) return;
    const auto breaker = s.shared<circuit_breaker>("picker service " + p.config.name + ' ' + p.picker->name,
                                                   [] { return std::make_shared<circuit_breaker>(); });
    service_ = std::make_shared<picker_service>(p.config.name, *config_.service, *p.picker, breaker, s);
}

const pool_view& pool_client::view() {
    if (held_->of->version != pool_->version()) held_ = std::make_shared<held_view>(held_view{pool_->view()});
    return *held_->of;
}

bool pool_client::knows_adapter(std::uint64_t name) {
    const auto& all = view().adapters;
    return std::find(all.begin(), all.end(), name) != all.end();
}

picker::slot_set pool_client::left_out(const picker::slot_set& tried, const pool_view& v, steady_time now) const {
    if (!pool_->any_ejected(now)) return tried;
    picker::slot_set out = tried;
    std::size_t ejected = 0;
    for (const auto& m : v.members) {
        if (m->state->health.available(now)) continue;
        ++ejected;
        out.set(m->slot);
    }
    return ejected * 2 > v.members.size() ? tried : out;
}

bool pool_client::any_left(const picker::slot_set& tried, bool strict, steady_time now) {
    // What a picker may name besides is not known before it does.
    if (service_ && service_->passthrough() != nullptr && !service_->config().shadow) return true;
    const pool_view& v = view();
    const picker::slot_set out = strict ? left_out(tried, v, now) : tried;
    return std::any_of(v.members.begin(), v.members.end(), [&](const auto& m) { return !out.test(m->slot); });
}

void pool_client::settle_starts(steady_time now) {
    while (!starts_.empty() && starts_.begin()->first <= now) {
        pool_call* const call = starts_.begin()->second;
        starts_.erase(starts_.begin());
        call->start_came();
    }
}

counter& pool_client::refusals(std::string_view reason) {
    return services_.metrics().get_counter("sluice_pool_refusals_total", "Requests that were given no endpoint.",
                                           {{"pool", pool_->name()}, {"reason", reason.empty() ? "other" : reason}});
}

void pool_client::gave_room(steady_time now) {
    if (admission_ != nullptr && admission_->queue.awaited()) admission_->queue.room(now, saturation());
}

picker::slot_set pool_client::without_standbys(const picker::slot_set& out, const pool_view& v) {
    if (v.standbys.none()) return out;
    const picker::slot_set all = out | v.standbys;
    const bool others =
        std::any_of(v.members.begin(), v.members.end(), [&](const auto& m) { return !all.test(m->slot); });
    return others ? all : out;
}

picker::pick_result pool_client::choose(const picker::request_features& f, const picker::slot_set& tried,
                                        steady_time now) {
    settle_starts(now);
    const pool_view& v = view();
    const picker::slot_set out = without_standbys(left_out(tried, v, now), v);
    if (v.clusters.none()) return choose_among(f, out, now);
    picker::pick_result home = choose_among(f, out | (f.local_only ? v.clusters : v.remotes), now);
    if (f.local_only) return home;
    picker::pick_result remote = choose_remote(f, out, now);
    if (remote.count == 0) return home;
    if (home.count == 0) return remote;
    // Without a forecast of home there is nothing to compare: home it is, while it takes requests.
    const double here_s = home.best[0].expected.ttft_s, there_s = remote.best[0].expected.ttft_s;
    return here_s > 0 && gate_.leaves(here_s, there_s, now) ? remote : home;
}

picker::pick_result pool_client::choose_among(const picker::request_features& f, const picker::slot_set& out,
                                              steady_time now) {
    if (config_.by != balancing::picker) return choose_by_turn(f, out, now);
    return pool_->picker().pick(f, held_->of->picks, now, out);
}

// The cluster with the earliest first token. By its report where it makes one, else by what its answers took lately.
picker::pick_result pool_client::choose_remote(const picker::request_features& f, const picker::slot_set& out,
                                               steady_time now) {
    const pool_view& v = *held_->of;
    picker::pick_result all = choose_among(f, out | ~v.remotes, now);
    std::size_t best = 0;
    for (std::size_t i = 0; i < all.count; ++i) {
        picker::candidate_endpoint& c = all.best[i];
        const member_state& s = *v.members[c.at]->state;
        const double uncached = std::max(1.0, all.prompt_tokens - c.cached_tokens);
        const std::int64_t own = pool_->picker().load(c.slot).prefill_tokens;
        const auto told = s.cluster.ttft_s(uncached, own, now, 3 * config_.spill.load_interval);
        c.expected.ttft_s = told ? *told : s.cluster.round_trip_s() + s.latency.at(now);
        if (c.expected.ttft_s < all.best[best].expected.ttft_s) best = i;
    }
    if (all.count > 0) {
        all.best[0] = all.best[best];
        all.count = 1;
    }
    return all;
}

placement pool_client::take(picker::pick_result& choice, const picker::request_features& f, steady_time now) {
    const pool_view& v = *held_->of;
    picker::endpoint_picker& p = pool_->picker();
    placement where;
    // Between clusters it was not the picker alone that chose.
    const bool by_picker = config_.by == balancing::picker && v.clusters.none();
    where.ticket = by_picker ? p.dispatch(choice, f, v.picks, now) : p.dispatch_to(choice.best[0], choice, f, now);
    where.member = v.members[choice.best[0].at].get();
    where.ttft_s = choice.best[0].expected.ttft_s;
    where.keeps = held_;
    picks.add();
    if (where.member->remote) spilled.add();
    return where;
}

placement pool_client::place_at(const std::shared_ptr<const pool_member>& member, const picker::request_features& f,
                                steady_time now) {
    settle_starts(now);
    picker::pick_result choice;
    choice.count = 1;
    choice.best[0].slot = member->slot;
    choice.prompt_tokens = tokens_of(f);
    placement where;
    where.ticket = pool_->picker().dispatch_to(choice.best[0], choice, f, now);
    where.member = member.get();
    where.keeps = member;
    picks.add();
    return where;
}

picker::choice pool_client::balance(const picker::request_features& f) {
    // The beginning of a prompt: what those who share it have in common.
    constexpr std::size_t beginning = 4;
    std::uint64_t key = f.session;
    if (key == 0 && !f.blocks.empty()) key = f.blocks[std::min(f.blocks.size(), beginning) - 1].hash;
    if (key == 0) key = random_.next();
    switch (config_.by) {
        case balancing::round_robin:
            return turn_.next(readings_);
        case balancing::two_choices:
            return two_.next(readings_);
        case balancing::peak_ewma:
            return ewma_.next(readings_);
        case balancing::hash:
            return hash_.next(readings_, key);
        case balancing::session: {
            if (f.session == 0) return least_.next(readings_);
            if (const auto stays = sessions_.find(readings_, f.session)) return stays;
            // By hash, so that workers agree on where a session begins.
            const auto first = hash_.next(readings_, f.session);
            if (first) sessions_.remember(f.session, readings_[*first].name);
            return first;
        }
        case balancing::picker:
        case balancing::least_request:
            break;
    }
    return least_.next(readings_);
}

picker::pick_result pool_client::choose_by_turn(const picker::request_features& f, const picker::slot_set& out,
                                                steady_time now) {
    const pool_view& v = *held_->of;
    picker::endpoint_picker& p = pool_->picker();
    readings_.clear();
    bool busy = false;
    for (std::size_t i = 0; i < v.members.size(); ++i) {
        const pool_member& m = *v.members[i];
        const picker::pool_endpoint& e = v.picks.endpoints[i];
        picker::balanced& r = readings_.emplace_back();
        r.name = m.name;
        r.inflight = p.load(m.slot).inflight;
        r.latency_s = config_.by == balancing::peak_ewma ? m.state->latency.at(now) : 0;
        const bool full = e.concurrency_max > 0 && r.inflight >= e.concurrency_max;
        busy |= full && !out.test(m.slot);
        r.weight = full || out.test(m.slot) ? 0 : m.weight * e.weight;
    }
    picker::pick_result out_of;
    out_of.prompt_tokens = tokens_of(f);
    const picker::choice at = balance(f);
    if (!at) {
        out_of.refused = busy ? picker::refusal::busy : picker::refusal::no_endpoint;
        out_of.retry_after_s = 1;
        return out_of;
    }
    out_of.count = 1;
    out_of.best[0].at = static_cast<std::uint32_t>(*at);
    out_of.best[0].slot = v.members[*at]->slot;
    return out_of;
}

}  // namespace sluice::routing
