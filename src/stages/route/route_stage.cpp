#include "stages/route/route_stage.hpp"

#include "http/path.hpp"
#include "stages/route/model_list.hpp"

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

// Everything an attempt changes on the exchange, put back for the next one.
struct before_attempt {
    json_edits edits;
    bool hide_usage_event;
    explicit before_attempt(exchange& x) : edits(x.edits()), hide_usage_event(x.hide_usage_event) {}
    void restore(exchange& x) const {
        x.edits() = edits;
        x.hide_usage_event = hide_usage_event;
        x.clear_failure();
    }
};

// "models/{id}" behind the prefix; nothing for another path.
std::optional<std::string_view> model_id(std::string_view path) {
    constexpr std::string_view models = "/models/";
    if (!path.starts_with(models) || path.size() == models.size()) return std::nullopt;
    return path.substr(models.size());
}

}  // namespace

route_stage::route_stage(const route_stage_config& config, std::shared_ptr<const routing::model_table> models,
                         services& s)
    : config_(config), models_(std::move(models)), services_(s), random_(random_source::from_system()) {
    for (const auto& p : models_->providers()) {
        if (p->config.name == config_.default_provider) {
            default_provider_ = providers_.size();
            has_default_ = true;
        }
        providers_.push_back(std::make_unique<routing::provider_runtime>(*p, s));
    }
    if (!config_.default_provider.empty() && !has_default_) {
        throw std::runtime_error("route: there is no provider \"" + config_.default_provider + "\"");
    }
}

std::string route_stage::upstream_path(std::string_view path) const {
    if (path.starts_with(config_.strip_prefix)) path.remove_prefix(config_.strip_prefix.size());
    return std::string(path);
}

awaitable<void> route_stage::serve(exchange& x, next_stage next) {
    // The usual request, a POST whose JSON is here, takes one frame.
    if (x.request().method != "POST") return serve_any(x, next);
    auto facts = facts_now(x);
    return facts && *facts ? serve_facts(x, next, std::move(**facts)) : serve_any(x, next);
}

awaitable<void> route_stage::serve_any(exchange& x, next_stage next) {
    const request_head& head = x.request();
    const std::string path = upstream_path(head.path());
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
    auto facts = co_await read_facts(x);
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
    const routing::found_model found = models_->find(facts.model);
    if (found.which == nullptr || !x.caller.may_use(facts.model)) co_return unknown_model(x, facts.model);
    const std::string star(found.star);
    x.model = facts.model;
    x.model_entry = found.which->config.name;
    x.stream = facts.stream;
    const routing::model_config& model = found.which->config;
    std::string subject;
    if (model.stay == routing::sticky::key) subject = x.caller.key_id;
    if (model.stay == routing::sticky::session) subject = x.request().headers.find(model.session_header).value_or("");

    routing::attempt_plan plan(*found.which, x, providers_, random_, subject);
    const before_attempt start(x);
    std::optional<candidate> c = plan.next(services_.time().recent());
    if (!c) {
        error e{error_kind::no_target, "No target of this model is available now."};
        e.retry_after = plan.limited_for(services_.time().recent());
        if (e.retry_after > 0ms) e.kind = error_kind::rate_limited;
        co_return x.fail(std::move(e));
    }
    const routing::target* const first_choice = c->to;
    for (int n = 1;; ++n) {
        if (n == 1) c->at->state().retries.called();
        const auto aimed = aim(x, *c, facts, star);
        if (aimed) {
            co_await next(x);
        } else {
            x.fail(aimed.error());
        }
        const bool credential_at_fault = learn(x, *c);
        if (!x.failure() || x.committed() || !x.replayable() || n >= model.attempts) break;
        if (traits(x.failure()->kind).again == retry::never) break;
        plan.failed(*c, credential_at_fault);
        const auto now = services_.time().recent();
        std::optional<candidate> other = plan.next(now);
        if (!other && credential_at_fault) {
            // Every credential was refused or limited: say for how long.
            error e = *x.failure();
            if (status_of(e) == 429) e.retry_after = std::max(e.retry_after, plan.limited_for(now));
            x.fail(std::move(e));
            break;
        }
        const bool again = !other;  // nothing else to try: the same once more, after a pause
        if (again && !worth_repeating(*x.failure())) break;
        if (again) other = c;
        if (!other->at->state().retries.take()) break;
        start.restore(x);
        if (again) {
            boost::asio::steady_timer pause(services_.executor(),
                                            first_backoff * n + std::chrono::milliseconds(random_.below(25)));
            boost::system::error_code ignored;
            co_await pause.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
        }
        x.fell_back = other->to != first_choice;
        c = other;
    }
}

result<void> route_stage::aim(exchange& x, const candidate& c, const request_facts& facts,
                              std::string_view star) const {
    // Without a name of its own a target is asked for its model by the model's name, not by an alias.
    std::string name = c.to->config.model.empty() ? c.of->config.name : c.to->config.model;
    if (const auto at = name.find('*'); at != std::string::npos) name.replace(at, 1, star);
    auto set = set_model(x, facts, name);
    if (!set) return set.error();
    if (facts.form == body_form::json) {
        for (const auto& [key, raw] : c.to->config.body) x.edits().set(*x.parsed_json(), key, raw);
        if (facts.wants_usage) {
            ask_for_usage(x);
            x.hide_usage_event = true;
        }
    }
    upstream_target& t = x.target.emplace();
    t.endpoint = &c.at->what().endpoints[c.endpoint];
    t.model = c.to->config.model.empty() ? c.of->config.name : c.to->config.model;
    t.path = upstream_path(x.request().path());
    t.headers = &c.at->headers(c.credential);
    t.authorizer = c.at->signer(c.credential);
    t.first_byte = c.to->config.first_byte;
    t.idle = c.to->config.idle;
    x.hold_back = worth_another;
    return {};
}

bool route_stage::learn(const exchange& x, const candidate& c) {
    const auto now = services_.time().recent();
    auto& endpoint = c.at->state().endpoints[c.endpoint];
    auto& credential = c.at->state().credentials[c.credential];
    if (!x.failure()) {
        endpoint.succeeded();
        c.at->ok.add();
        return false;
    }
    const error& e = *x.failure();
    if (traits(e.kind).whose == blame::client) return false;
    c.at->failed.add();
    const int status = e.kind == error_kind::upstream_status ? status_of(e) : 0;
    const bool limited = status == 429 || (status == 503 && e.retry_after > 0ms);
    const bool refused = status == 401 || status == 403;
    if (limited || refused || e.kind == error_kind::credential) {
        const std::chrono::milliseconds wait = limited && e.retry_after > 0ms ? e.retry_after
                                               : limited                      ? default_cooldown
                                                                              : refused_cooldown;
        // A lone credential that was refused is tried on: leaving it out would only hide the upstream's words.
        if (limited || c.at->state().credentials.size() > 1) {
            credential.cool_down(now, wait);
            c.at->cooldowns.add();
        }
        return true;
    }
    if (endpoint.failed(now)) c.at->ejections.add();
    return false;
}

awaitable<void> route_stage::serve_provider(exchange& x, next_stage next, std::size_t index) {
    routing::provider_runtime& at = *providers_[index];
    const auto now = services_.time().recent();
    const auto any = [](std::size_t) { return true; };
    const auto credential = at.pick_credential(now, any);
    auto endpoint = at.pick_endpoint(now, true, any);
    if (!endpoint) endpoint = at.pick_endpoint(now, false, any);
    if (!credential) co_return x.fail(error{error_kind::no_target, "Every credential of the provider is limited now."});
    const candidate c{nullptr, nullptr, &at, *endpoint, *credential};
    upstream_target& t = x.target.emplace();
    t.endpoint = &at.what().endpoints[c.endpoint];
    t.path = upstream_path(x.request().path());
    t.headers = &at.headers(c.credential);
    t.authorizer = at.signer(c.credential);
    co_await next(x);
    learn(x, c);
}

}  // namespace sluice::route
