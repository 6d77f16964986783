// Requests for pools of model servers: an endpoint for each attempt, by the pool's own balancer or an outside picker.
#include "routing/clusters/hop_guard.hpp"
#include "stages/route/placing.hpp"
#include "stages/route/queue_wait.hpp"
#include "stages/route/route_stage.hpp"

namespace sluice::route {

using namespace std::chrono_literals;
using routing::candidate;

namespace {

constexpr auto queue_grace = 1s;
const admission::admission_config no_rules;  // of pools without admission: a client's own promises count

void refuse(exchange& x, routing::pool_client& pool, const admission::verdict& v) {
    pool.refusals(v.reason).add();
    x.fail(admission::to_error(v));
    if (!v.reason.empty()) x.failure_headers.set(admission::dropped_header, v.reason);
}

void clear_refusal(exchange& x) {
    x.clear_failure();
    x.failure_headers.remove(admission::dropped_header);
}

// What a picker outside may see of what the client said of its urgency.
header_list shown_to_picker(const placing& p, const routing::pool_client& pool) {
    const auto& rules = pool.config().admission;
    return admission::class_headers_for_picker(p.class_headers, rules && rules->trust_headers);
}

}  // namespace

awaitable<std::optional<candidate>> route_stage::placed(placing& p, candidate c, bool again) {
    for (;;) {
        p.call.reset();
        routing::pool_client* const pool = c.at->pool();
        if (p.outside && (pool == nullptr || &p.outside->of() != pool)) p.outside.reset();
        if (pool == nullptr) {
            clear_refusal(p.x);
            co_return c;
        }
        if (!classify(p, *pool)) co_return std::nullopt;
        const picker::request_features& features =
            p.prompt.at(*pool, upstream_name(*c.of, *c.to, p.star), p.what, p.hops);
        const bool asks =
            pool->callout() != nullptr || (pool->service() != nullptr && !pool->service()->config().shadow);
        bool native = true;
        if (asks) {
            native = co_await place_outside(p, c, features);
            if (p.denied) co_return std::nullopt;
        }
        if (native && !p.call) {
            const picker::slot_set tried = again ? picker::slot_set{} : p.plan.tried_slots(*c.at, *c.to);
            picker::pick_result choice = pool->choose(features, tried, services_.time().recent());
            admission::verdict v = place(p, *pool, features, choice);
            if (v.what == admission::action::wait) v = co_await place_in_turn(p, *pool, features, tried, choice);
            if (v.what == admission::action::shed) {
                const bool only_clusters = features.local_only && choice.count == 0 && pool->current().clusters.any();
                if (only_clusters) pool->kept_by_hops.add();
                refuse(p.x, *pool, v);
            }
        }
        if (p.call) {
            clear_refusal(p.x);
            c.endpoint = p.call->member().slot;
            co_return c;
        }
        if (p.x.aborted() != abort_reason::none) co_return std::nullopt;
        p.plan.failed(c, routing::fault::pool);
        const auto other = p.plan.next(services_.time().recent());
        if (!other) co_return std::nullopt;
        c = *other;
    }
}

// --- by the pool's own balancer -------------------------------------------------------------------------------------

bool route_stage::classify(placing& p, const routing::pool_client& pool) {
    const auto& rules = pool.config().admission;
    if (!rules && p.class_headers.empty()) {
        p.what = {};
        return true;
    }
    auto what = admission::classify(p.class_headers, p.x.caller, rules ? *rules : no_rules);
    if (!what) {
        p.x.fail(what.error());
        return false;
    }
    p.what = std::move(*what);
    return true;
}

admission::verdict route_stage::place(placing& p, routing::pool_client& pool, const picker::request_features& features,
                                      picker::pick_result& choice) {
    admission::situation s;
    s.queue_enabled = pool.admission() != nullptr && pool.config().admission->queue.enabled;
    s.in_turn = !s.queue_enabled || pool.admission()->queue.idle();
    if (s.queue_enabled && (!s.in_turn || choice.refused == picker::refusal::busy))
        s.others_wait = pool.admission()->queue.view(p.what.priority);
    const admission::verdict v = admission::judge(choice, p.what, s);
    if (v.what == admission::action::admit)
        p.call.emplace(pool, pool.take(choice, features, services_.time().recent()), features, p.x);
    return v;
}

awaitable<admission::verdict> route_stage::place_in_turn(placing& p, routing::pool_client& pool,
                                                         const picker::request_features& features,
                                                         const picker::slot_set& tried, picker::pick_result& choice) {
    using admission::enqueued;
    admission::pool_queue& queue = pool.admission()->queue;
    queue_wait waker(services_.executor());
    admission::waiting place(queue, waker);
    const auto began = services_.time().now();
    const admission::queue_item item{.priority = p.what.priority,
                                     .tenant = p.what.tenant,
                                     .tokens = admission::fair_tokens(choice.prompt_tokens, choice.output_tokens),
                                     .bytes = p.x.collected_body().size()};
    enqueued e = queue.enqueue(place, item, began, pool.saturation());
    if (e != enqueued::waits && e != enqueued::try_now) co_return admission::judge(e, queue.view(item.priority));
    for (;;) {
        if (e == enqueued::waits) {
            // Who looks after the pool ends those that wait too long; the time is for a queue that nobody has any more.
            const bool woken = co_await waker.wait(place.deadline() + queue_grace);
            if (p.x.aborted() == abort_reason::client_gone) co_return admission::client_gone();
            if (p.x.aborted() != abort_reason::none) co_return admission::shutting_down();
            const admission::ticket_state state = queue.state(place);
            if (!woken || state == admission::ticket_state::expired)
                co_return admission::expired(queue.view(item.priority));
            if (state != admission::ticket_state::trying) continue;
        }
        const auto now = services_.time().now();
        const double waited_s = picker::seconds_between(began, now);
        choice = pool.choose(features, tried, now);
        const admission::verdict v =
            admission::judge(choice, p.what, {.others_wait = queue.view(item.priority), .waited_s = waited_s});
        if (v.what == admission::action::admit) {
            p.call.emplace(pool, pool.take(choice, features, now), features, p.x);
            queue.dispatched(place, now, pool.saturation());
            pool.queue_seconds.observe(waited_s);
            // It waited for a server: no overhead of ours.
            p.x.upstream_time += std::chrono::duration_cast<std::chrono::nanoseconds>(now - began);
        }
        if (v.what != admission::action::wait) co_return v;
        e = queue.put_back(place, now, pool.saturation());
    }
}

// --- by a picker outside --------------------------------------------------------------------------------------------

awaitable<bool> route_stage::place_outside(placing& p, const candidate& c, const picker::request_features& features) {
    routing::pool_client& pool = *c.at->pool();
    if (!p.outside && pool.callout() != nullptr) {
        p.outside.emplace(p.x, pool, shown_to_picker(p, pool));
        const std::string name = upstream_name(*c.of, *c.to, p.star);
        const auto outcome = co_await p.outside->ask_callout(features, name);
        if (outcome == outside_pick::outcome::denied) {
            p.denied = true;
            co_return false;
        }
    } else if (!p.outside) {
        // It sees the request as a server would get it.
        const auto aimed = aim(p.x, c, pool.address(), p.facts, p.star, p.translated);
        if (!aimed) {
            p.x.fail(aimed.error());
            co_return false;
        }
        p.outside.emplace(p.x, pool, shown_to_picker(p, pool));
        const auto outcome = co_await p.outside->ask();
        if (outcome == outside_pick::outcome::denied) {
            p.denied = !p.plan.has_others() || status_of(*p.x.failure()) < 429;
            co_return false;
        }
    }
    if (!p.listed()) co_return true;
    picker::slot_set out = p.plan.tried_slots(*c.at, *c.to);
    if (features.local_only) out |= pool.current().clusters;
    const auto member = p.outside->next(out);
    if (member == nullptr && p.outside->advises()) co_return true;
    if (member == nullptr) {
        // Those it named are spent: it does not leave the choice of others to us.
        if (!p.x.failure()) p.x.fail(error{error_kind::no_target, "No endpoint that was picked can be reached."});
        co_return false;
    }
    p.x.clear_failure();
    p.call.emplace(pool, pool.place_at(member, features, services_.time().recent()), features, p.x);
    co_return true;
}

awaitable<void> route_stage::call_pool(placing& p, next_stage next, const candidate& c) {
    exchange& x = p.x;
    ext_proc::processor_client* follower = nullptr;
    if (p.listed()) {
        p.outside->apply();
        follower = p.outside->follower();
    } else if (const auto& service = c.at->pool()->service(); service != nullptr && service->config().shadow) {
        shadow_pick(x, *c.at->pool(), shown_to_picker(p, *c.at->pool()), p.call->member());
    }
    header_list& headers = x.request_to_change().headers;
    if (p.call->member().cluster) headers.set(clusters::hops_header, std::to_string(p.hops + 1));
    {
        const observer_scope watching(x, *p.call, sink_scope::needs::pieces);
        if (x.target->translated) {
            co_await attempt(x, next, *p.translated, *c.at, follower);
        } else {
            const bool denied = co_await follow(x, next, follower);
            p.denied = denied;
        }
    }
    headers.remove(clusters::hops_header);
    p.call->finish();
}

awaitable<bool> route_stage::follow(exchange& x, next_stage next, ext_proc::processor_client* follower) {
    if (follower == nullptr) {
        co_await next(x);
        co_return false;
    }
    ext_proc::processor_sink sink(*follower, x, x.reply(), endpoint_key(*x.target->endpoint));
    const sink_scope scope(x, sink, sink_scope::needs::pieces);
    co_await next(x);
    co_return sink.denied();
}

}  // namespace sluice::route
