// Requests for pools of model servers: an endpoint for each attempt, by the pool's own balancer or an outside picker.
#include "stages/route/placing.hpp"
#include "stages/route/route_stage.hpp"

namespace sluice::route {

using routing::candidate;

awaitable<std::optional<candidate>> route_stage::placed(placing& p, candidate c, bool again) {
    for (;;) {
        p.call.reset();
        routing::pool_client* const pool = c.at->pool();
        if (p.outside && (pool == nullptr || &p.outside->of() != pool)) p.outside.reset();
        if (pool == nullptr) {
            p.x.clear_failure();
            co_return c;
        }
        const auto now = services_.time().recent();
        const picker::request_features& features = p.prompt.at(*pool, upstream_name(*c.of, *c.to, p.star));
        const bool asks =
            pool->callout() != nullptr || (pool->service() != nullptr && !pool->service()->config().shadow);
        if (asks) {
            const bool done = co_await place_outside(p, c, features);
            if (p.denied) co_return std::nullopt;
            if (!done) {
                p.plan.failed(c, routing::fault::pool);
                const auto other = p.plan.next(services_.time().recent());
                if (!other) co_return std::nullopt;
                c = *other;
                continue;
            }
        }
        if (!p.call) {
            auto where = pool->place(features, again ? picker::slot_set{} : p.plan.tried_slots(*c.at, *c.to), now);
            if (where) {
                p.x.clear_failure();
                p.call.emplace(*pool, std::move(*where), features, p.x);
            } else {
                p.x.fail(where.error());
            }
        }
        if (p.call) {
            c.endpoint = p.call->member().slot;
            co_return c;
        }
        p.plan.failed(c, routing::fault::pool);
        const auto other = p.plan.next(now);
        if (!other) co_return std::nullopt;
        c = *other;
    }
}

awaitable<bool> route_stage::place_outside(placing& p, const candidate& c, const picker::request_features& features) {
    routing::pool_client& pool = *c.at->pool();
    if (!p.outside && pool.callout() != nullptr) {
        p.outside.emplace(p.x, pool);
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
        p.outside.emplace(p.x, pool);
        const auto outcome = co_await p.outside->ask();
        if (outcome == outside_pick::outcome::denied) {
            p.denied = !p.plan.has_others() || status_of(*p.x.failure()) < 429;
            co_return false;
        }
    }
    if (!p.listed()) co_return true;
    const auto member = p.outside->next(p.plan.tried_slots(*c.at, *c.to));
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
        shadow_pick(x, *c.at->pool(), p.call->member());
    }
    {
        const observer_scope watching(x, *p.call, sink_scope::needs::pieces);
        if (x.target->translated) {
            co_await attempt(x, next, *p.translated, *c.at, follower);
        } else {
            const bool denied = co_await follow(x, next, follower);
            p.denied = denied;
        }
    }
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
