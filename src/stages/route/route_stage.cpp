#include "stages/route/route_stage.hpp"

#include "http/path.hpp"
#include "routing/clusters/hop_guard.hpp"
#include "routing/upstream_path.hpp"
#include "stages/route/model_list.hpp"
#include "stages/route/placing.hpp"
#include "stages/route/prompt_count.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <stdexcept>

namespace sluice::route {
namespace {

using namespace std::chrono_literals;
using routing::candidate;

constexpr auto default_cooldown = 10s;  // a 429 that does not say how long
constexpr auto refused_cooldown = 60s;  // a credential the upstream does not take
constexpr auto first_backoff = 25ms;    // before the same address is tried again

// Statuses that another target, address or credential may not give.
bool worth_another(int status) {
    switch (status) {
        case 401:
        case 403:
        case 408:
        case 409:
        case 429:
        case 500:
        case 502:
        case 503:
        case 504:
        case 529:
            return true;
        default:
            return false;
    }
}

// The same where another model may hold a prompt that this one does not. What its upstream refused for another reason
// is passed on as it came.
bool worth_another_or_too_long(int status) {
    return worth_another(status) || status == 400 || status == 413 || status == 422;
}

// Failures after which even the same address may serve a moment later: it was not reached, it broke off before it
// said anything, or it said that it is busy. An answer that is late or garbled was perhaps worked on, and billed.
bool worth_repeating(const error& e) {
    switch (e.kind) {
        case error_kind::upstream_dns:
        case error_kind::upstream_connect:
        case error_kind::upstream_connect_timeout:
        case error_kind::upstream_tls:
        case error_kind::upstream_tls_timeout:
        case error_kind::upstream_reset:
            return true;
        case error_kind::upstream_status:
            return status_of(e) == 502 || status_of(e) == 503 || status_of(e) == 504 || status_of(e) == 529;
        default:
            return false;
    }
}

// The upstream's answer is about the request: it was kept back only to see whether the prompt was too long.
bool refused_request(const error& e) {
    return e.kind == error_kind::upstream_status && !worth_another(status_of(e));
}

// Everything an attempt changes on the exchange, put back for the next one.
struct before_attempt {
    json_edits edits;
    bool hide_usage_event;
    explicit before_attempt(exchange& x) : edits(x.edits()), hide_usage_event(x.hide_usage_event) {}
    void restore(exchange& x) const {
        x.edits() = edits;
        x.hide_usage_event = hide_usage_event;
        x.outgoing_body.reset();
        x.clear_failure();
    }
};

// With a query where it is another than the client's.
std::string target_path(const request_head& head, std::string_view prefix, const routing::provider_config& at,
                        std::string_view model, model_place place) {
    std::string path = routing::upstream_path(head.path(), prefix);
    if (at.speaks == routing::dialect::azure) return routing::azure_target(path, head.query(), model, at.api_version);
    if (place == model_place::query) path.append("?").append(http::query_with(head.query(), "model", model));
    return path;
}

// "models/{id}" behind the prefix; nothing for another path.
std::optional<std::string_view> model_id(std::string_view path) {
    constexpr std::string_view models = "/models/";
    if (!path.starts_with(models) || path.size() == models.size()) return std::nullopt;
    return path.substr(models.size());
}

}  // namespace

route_stage::route_stage(const route_stage_config& config, std::shared_ptr<const routing::model_table> models,
                         known_models known, services& s, upstream_pool* pool)
    : config_(config),
      models_(std::move(models)),
      known_(std::move(known)),
      desk_(*models_, known_, s),
      services_(s),
      random_(random_source::from_system()),
      shadows_(models_, pool, s) {
    for (const auto& p : models_->providers()) {
        has_pools_ |= p->pool.has_value();
        if (p->config.name == config_.default_provider && !p->pool) {
            default_provider_ = providers_.size();
            has_default_ = true;
        }
        providers_.push_back(std::make_unique<routing::provider_runtime>(*p, s));
    }
    if (!config_.default_provider.empty() && !has_default_) {
        throw std::runtime_error("route: there is no provider \"" + config_.default_provider + "\"");
    }
    if (!config_.require.empty() && !known_.any()) {
        throw std::runtime_error("route: `require` needs a `catalogue` that says what models can");
    }
}

awaitable<void> route_stage::serve(exchange& x, next_stage next) {
    if (has_pools_) strip_picker_headers(x.request_to_change().headers);
    // The usual request, a POST whose JSON is here, takes one frame.
    if (x.request().method != "POST") return serve_any(x, next);
    const std::string path = routing::upstream_path(x.request().path(), config_.strip_prefix);
    auto facts = facts_now(x, path);
    return facts && *facts ? serve_facts(x, next, std::move(**facts)) : serve_any(x, next);
}

awaitable<void> route_stage::serve_any(exchange& x, next_stage next) {
    const request_head& head = x.request();
    const std::string path = routing::upstream_path(head.path(), config_.strip_prefix);
    if (head.method == "GET" && path == "/models") {
        co_await x.respond_json(200, list_models(*models_, x.caller));
        co_return;
    }
    if (const auto id = model_id(path); id && head.method == "GET") {
        const auto name = http::percent_decode(*id);
        if (!name) co_return x.fail(name.error());
        const auto text = describe_model(*models_, x.caller, *name);
        if (!text) co_return unknown_model(x, *name);
        co_await x.respond_json(200, *text);
        co_return;
    }
    auto facts = co_await read_facts(x, path);
    if (!facts) co_return x.fail(facts.error());
    co_await serve_facts(x, next, std::move(*facts));
}

awaitable<void> route_stage::serve_facts(exchange& x, next_stage next, request_facts facts) {
    if (!config_.model.empty()) facts.model = config_.model;
    if (facts.model.empty() && has_default_) return serve_provider(x, next, default_provider_);
    return serve_model(x, next, std::move(facts));
}

void route_stage::unknown_model(exchange& x, std::string_view name) const {
    // The same words for a model that is not there and for one this key may not use.
    std::string text =
        "The model `" + std::string(name.substr(0, 128)) + "` does not exist or you do not have access to it.";
    const auto close = models_->suggestions(name.substr(0, 128), x.caller);
    for (std::size_t i = 0; i < close.size(); ++i) text += (i == 0 ? " Did you mean `" : ", `") + close[i] + '`';
    if (!close.empty()) text += '?';
    x.fail(error{error_kind::model_not_found, std::move(text), "model"});
}

awaitable<void> route_stage::serve_model(exchange& x, next_stage next, request_facts facts) {
    if (facts.model.empty()) {
        co_return x.fail(error{error_kind::bad_request, "The request names no `model`.", "model"});
    }
    routing::found_model found = models_->find(facts.model);
    if (found.which == nullptr || facts.model.size() > model_bytes_max || !x.caller.may_use(facts.model)) {
        co_return unknown_model(x, facts.model);
    }
    const routing::model& asked = *found.which;
    std::string subject;
    const arm_desk::admission admitted = desk_.admit(x, found, subject);
    if (admitted == arm_desk::admission::unknown) co_return unknown_model(x, facts.model);
    x.model = facts.model;
    if (admitted == arm_desk::admission::gone) co_return co_await arm_desk::say_gone(x);
    const std::string star(found.star);
    x.model_entry = found.which->config.name;
    x.stream = facts.stream;
    const routing::model_config& model = found.which->config;

    suitable_targets suitable(known_, config_.require, star);
    if (!config_.require.empty() && !suitable.any(*found.which)) {
        co_return x.fail(error{error_kind::bad_request,
                               "No target of the model is known to have what this route demands.", "model"});
    }
    routing::attempt_plan plan(*found.which, x, providers_, random_, subject, suitable);
    const before_attempt start(x);
    std::unique_ptr<translation> translated;  // where a target speaks another dialect
    std::optional<candidate> c = plan.next(services_.time().recent());
    if (!c) {
        error e{error_kind::no_target, "No target of this model is available now."};
        e.retry_after = plan.limited_for(services_.time().recent());
        if (e.retry_after > 0ms) e.kind = error_kind::rate_limited;
        co_return x.fail(std::move(e));
    }
    const bool counts = facts.api && facts.api->wants == routing::operation::count_tokens;
    if (counts && !routing::speaks_natively(c->at->what().config, facts.api, x.request().path())) {
        co_return co_await serve_count(x, asked_in(x, facts, translated), suitable.counter(*c));
    }
    arm_visit visit(desk_, x, asked, *found.which, star);
    shadow_watch shadowed(x);
    shadowed.pair = copy_to_shadow(x, *found.which, facts, star);
    const routing::target* const first_choice = c->to;
    const bool chats = facts.api && facts.api->wants == routing::operation::chat;
    c->at->state().retries.called();
    placing p{x, plan, facts, star, translated, prompt_facts(x)};
    if (has_pools_) {
        p.class_headers = admission::take_class_headers(x.request_to_change().headers);
        const auto hops = clusters::take_hops(x.request_to_change().headers);
        if (!hops) co_return x.fail(hops.error());
        p.hops = *hops;
    }
    bool again = false;  // the same once more: nothing else is left
    for (int n = 1;; ++n) {
        if (chats && config_.context_check && suitable.must_count(*c, x.collected_body().size())) {
            c = co_await first_fitting(x, asked_in(x, facts, translated), plan, suitable, *c);
            if (!c) break;
        }
        if (c->at->pool() != nullptr || p.outside) c = co_await placed(p, *c, again);
        if (!c) break;
        const upstream_endpoint& to = p.call ? p.call->member().address : c->at->what().endpoints[c->endpoint];
        x.fell_back = c->to != first_choice || c->of != found.which;
        x.hold_back = plan.has_others() ? worth_another_or_too_long : worth_another;
        visit.attempt(*c);
        const auto aimed = aim(x, *c, to, facts, star, translated);
        if (!aimed) {
            x.fail(aimed.error());
        } else if (p.call) {
            co_await call_pool(p, next, *c);
        } else if (x.target->translated) {
            co_await attempt(x, next, *translated, *c->at, nullptr);
        } else {
            co_await next(x);
        }
        const routing::fault whose = learn(x, *c, p.call ? &p.call->member() : nullptr);
        if (p.denied || !x.failure() || x.committed() || !x.replayable() || n >= model.attempts) break;
        const bool longer = is_too_long(*x.failure());
        if (longer) {
            suitable.too_small(*c);
        } else if (traits(x.failure()->kind).again == retry::never || refused_request(*x.failure())) {
            break;
        }
        plan.failed(*c, whose);
        const auto now = services_.time().recent();
        std::optional<candidate> other = plan.next(now);
        again = !other;
        if (again && (longer || whose == routing::fault::credential || !worth_repeating(*x.failure()))) {
            error e = *x.failure();
            // Every credential is limited: say for how long.
            if (status_of(e) == 429) e.retry_after = std::max(e.retry_after, plan.limited_for(now));
            x.fail(std::move(e));
            break;
        }
        if (again) other = c;
        // The first call at a provider is none of its retries: a standby serves all that come to it.
        routing::retry_budget& budget = other->at->state().retries;
        if (!plan.tried(*other->at)) {
            budget.called();
        } else if (!budget.take()) {
            break;
        }
        start.restore(x);
        if (again) co_await pause(n);
        c = other;
    }
}

awaitable<void> route_stage::pause(int attempts) {
    boost::asio::steady_timer timer(services_.executor(),
                                    first_backoff * attempts + std::chrono::milliseconds(random_.below(25)));
    boost::system::error_code ignored;
    co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
}

std::shared_ptr<shadow_pair> route_stage::copy_to_shadow(exchange& x, const routing::model& m, request_facts facts,
                                                         std::string_view star) {
    const auto turn = shadows_.draw(x, m, random_);
    if (!turn) return nullptr;
    const before_attempt start(x);
    std::unique_ptr<translation> asked;  // of its own: it refers to these facts
    const auto aimed = aim(x, turn->to, turn->to.at->what().endpoints[turn->to.endpoint], facts, star, asked);
    std::shared_ptr<shadow_pair> pair;
    if (aimed) {
        pair = shadows_.send(*turn, x);
    } else {
        shadows_.drop(*turn);
    }
    start.restore(x);
    x.target.reset();
    return pair;
}

translation& route_stage::asked_in(exchange& x, const request_facts& facts, std::unique_ptr<translation>& made) const {
    if (made == nullptr)
        made = std::make_unique<translation>(x, *facts.api, config_.on_unsupported == unsupported::drop);
    return *made;
}

awaitable<void> route_stage::serve_count(exchange& x, translation& asked, const tokens::bpe_counter* counter) {
    const auto counted = co_await count_tokens(asked, counter, services_.executor());
    if (!counted) co_return x.fail(counted.error());
    std::string text;
    asked.client().write_token_count(counted->typical, text);
    co_await x.respond_json(200, text);
}

awaitable<std::optional<candidate>> route_stage::first_fitting(exchange& x, translation& asked,
                                                               routing::attempt_plan& plan, suitable_targets& suitable,
                                                               candidate c) {
    const std::int64_t asked_window = suitable.window_of(c);
    for (;;) {
        const auto counted = co_await count_tokens(asked, suitable.counter(c), services_.executor());
        // What the reader of a dialect does not understand is for its own upstream to say.
        if (!counted || counted->least <= suitable.window_of(c)) co_return c;
        suitable.too_small(c);
        const auto other = plan.next(services_.time().recent());
        if (!other) {
            x.fail(too_long(counted->least, asked_window));
            co_return std::nullopt;
        }
        c = *other;
        if (!suitable.must_count(c, x.collected_body().size())) co_return c;
    }
}

awaitable<void> route_stage::attempt(exchange& x, next_stage next, translation& translated,
                                     routing::provider_runtime& at, ext_proc::processor_client* follower) {
    at.translated.add();
    const std::unique_ptr<translating_sink> sink = translated.make_sink(x.reply(), services_);
    {
        const sink_scope scope(x, *sink);
        [[maybe_unused]] const bool denied = co_await follow(x, next, follower);
    }
    if (const int repairs = sink->repairs(); repairs > 0) at.repairs.add(repairs);
    if (x.failure() && !x.committed() && x.failure()->upstream != nullptr) {
        error e = *x.failure();
        translated.translate(e);
        x.fail(std::move(e));
    }
}

result<void> route_stage::aim(exchange& x, const candidate& c, const upstream_endpoint& to, request_facts& facts,
                              std::string_view star, std::unique_ptr<translation>& translated) const {
    const std::string name = upstream_name(*c.of, *c.to, star);
    if (!routing::speaks_natively(c.at->what().config, facts.api, x.request().path())) {
        if (!facts.api) {
            return error{error_kind::bad_request,
                         "The provider of this model has no " + std::string(x.request().path()) + "."};
        }
        auto path = asked_in(x, facts, translated).aim(*c.to, name);
        if (!path) return path.error();
        point(x, c, to, std::move(*path));
        x.target->translated = true;
        return {};
    }
    translated.reset();  // it was read to be counted: nothing of it need be kept while the answer passes
    auto set = set_model(x, facts, name);
    if (!set) return set.error();
    if (facts.place == model_place::json) {
        for (const auto& [key, raw] : c.to->config.body) x.edits().set(*x.parsed_json(), key, raw);
        if (facts.wants_usage && c.at->what().config.quirks.stream_usage) {
            ask_for_usage(x);
            x.hide_usage_event = true;
        }
    }
    point(x, c, to,
          facts.place == model_place::path
              ? routing::native_path(c.at->what().config, *facts.api, name)
              : target_path(x.request(), config_.strip_prefix, c.at->what().config, name, facts.place));
    return {};
}

void route_stage::point(exchange& x, const candidate& c, const upstream_endpoint& to, std::string path) {
    upstream_target& t = x.target.emplace();
    t.endpoint = &to;
    t.model = c.to->config.model.empty() ? c.of->config.name : c.to->config.model;
    t.path = std::move(path);
    t.headers = &c.at->headers(c.credential);
    t.authorizer = c.at->signer(c.credential);
    t.first_byte = c.to->config.first_byte;
    t.idle = c.to->config.idle;
}

void route_stage::eject(const candidate& c, const routing::pool_member* member, routing::steady_time now) {
    routing::endpoint_state& health = member != nullptr ? member->state->health : c.at->state().endpoints[c.endpoint];
    if (!health.failed(now)) return;
    c.at->ejections.add();
    if (member != nullptr) c.at->pool()->pool().ejected(health.until());
}

routing::fault route_stage::learn(const exchange& x, const candidate& c, const routing::pool_member* member) {
    using routing::fault;
    const auto now = services_.time().recent();
    routing::provider_state& state = c.at->state();
    if (!x.failure() || refused_request(*x.failure())) {
        (member != nullptr ? member->state->health : state.endpoints[c.endpoint]).succeeded();
        c.at->ok.add();
        return fault::none;
    }
    const error& e = *x.failure();
    const bool ours =
        e.kind == error_kind::internal || e.kind == error_kind::overloaded || e.kind == error_kind::draining;
    if (ours || traits(e.kind).whose == blame::client) return fault::none;
    c.at->failed.add();
    const int status = e.kind == error_kind::upstream_status ? status_of(e) : 0;
    const bool limited = status == 429 || ((status == 503 || status == 529) && e.retry_after > 0ms);
    // A model server that is full says nothing of the others.
    if (limited && member != nullptr) return fault::address;
    if (limited) {
        state.credentials[c.credential].cool_down(now, e.retry_after > 0ms ? e.retry_after : default_cooldown);
        c.at->cooldowns.add();
        return fault::credential;
    }
    if (status == 401 || e.kind == error_kind::credential) {
        // Never the last one: leaving it out would only hide the upstream's words. Nor for a 403: that may be about the
        // request, and a client could make every credential unavailable.
        bool others = false;
        for (std::size_t i = 0; i < state.credentials.size(); ++i)
            others |= i != c.credential && state.credentials[i].available(now);
        if (others) {
            state.credentials[c.credential].cool_down(now, refused_cooldown);
            c.at->cooldowns.add();
        }
        return fault::credential;
    }
    if (status == 403) return fault::credential;
    // A status below 500 is about the request: it must not take the address from everybody else.
    if (status == 0 || status >= 500) eject(c, member, now);
    return status != 0 || e.kind == error_kind::upstream_first_byte_timeout ? fault::target : fault::address;
}

awaitable<void> route_stage::serve_provider(exchange& x, next_stage next, std::size_t index) {
    routing::provider_runtime& at = *providers_[index];
    const auto now = services_.time().recent();
    const auto any = [](std::size_t) { return true; };
    const auto credential = at.pick_credential(now, any);
    auto endpoint = at.pick_endpoint(now, true, any);
    if (!endpoint) endpoint = at.pick_endpoint(now, false, any);
    if (!credential) {
        error e{error_kind::rate_limited, "Every credential of the provider is limited now."};
        e.retry_after = at.limited_for(now);
        co_return x.fail(std::move(e));
    }
    if (at.signs_body(*credential) && !x.replayable()) {
        const auto body = co_await x.collect_body();
        if (!body) co_return x.fail(body.error());
    }
    const candidate c{nullptr, nullptr, &at, *endpoint, *credential};
    upstream_target& t = x.target.emplace();
    t.endpoint = &at.what().endpoints[c.endpoint];
    t.path = target_path(x.request(), config_.strip_prefix, at.what().config, {}, model_place::none);
    t.headers = &at.headers(c.credential);
    t.authorizer = at.signer(c.credential);
    co_await next(x);
    learn(x, c, nullptr);
}

}  // namespace sluice::route
