#include "stages/quota/quota_stage.hpp"

#include "base/content_type.hpp"
#include "stages/quota/admission.hpp"
#include "stages/quota/limit_headers.hpp"

#include <sluice/exchange.hpp>

#include <stdexcept>

namespace sluice::quota {
namespace {

// The stage route reads whatever is no form as JSON. So must this one: a limit that goes by the model would else be
// passed by calling JSON something else.
bool may_be_json(const request_head& head) {
    return head.body != framing::none && !is_form(head.headers);
}

// Puts the limits of one stage before those further out, for as long as the exchange is behind it.
class session_meter final : public session_budget {
public:
    session_meter(exchange& x, admission& taken) : x_(x), outer_(x.budget), taken_(taken) { x_.budget = this; }
    ~session_meter() { x_.budget = outer_; }
    session_meter(const session_meter&) = delete;
    session_meter& operator=(const session_meter&) = delete;

    void response_done() override {
        taken_.settle();
        if (outer_ != nullptr) outer_->response_done();
    }
    std::optional<error> next_response() override {
        if (auto refused = taken_.left()) return refused;
        return outer_ != nullptr ? outer_->next_response() : std::nullopt;
    }

private:
    exchange& x_;
    session_budget* const outer_;
    admission& taken_;
};

}  // namespace

quota_stage::quota_stage(const quota_config& config, const std::string& route, services& s, std::size_t position)
    : config_(config), services_(s) {
    const auto add = [&](const rule_config& rule) {
        if (!rule.limits_anything()) return;
        const std::string identity = route + "/" + std::to_string(position) + "/" + std::to_string(rules_.size());
        rules_.emplace_back(rule, identity, route, s);
        reads_body_ = reads_body_ || rules_.back().counts_tokens() || rules_.back().kind() == per::model;
    };
    add(config.rule);
    for (const rule_config& rule : config.rules) add(rule);
    std::size_t windows = 0;
    for (const quota_rule& rule : rules_) windows += rule.windows().size();
    if (rules_.size() > rules_max || windows > windows_max) throw std::invalid_argument("quota: too many limits");
}

awaitable<void> quota_stage::serve(exchange& x, next_stage next) {
    // Where only requests count, the body is not touched; where it is here already, one frame does.
    if (!reads_body_) return admit(x, next, {}, {});
    if (!x.collected() && !may_be_json(x.request())) {
        token_estimate tokens;
        if (x.request().body != framing::none)
            tokens = estimate_tokens(x.body().length().value_or(0), nullptr, config_);
        return admit(x, next, tokens, x.model);
    }
    const auto json = x.json_now();
    return json && *json ? admit_json(x, next, **json) : serve_waiting(x, next);
}

awaitable<void> quota_stage::serve_waiting(exchange& x, next_stage next) {
    auto json = co_await x.json();
    if (json) {
        co_await admit_json(x, next, *json);
        co_return;
    }
    // A service behind a generic route may take anything.
    const auto type = x.request().headers.find("content-type");
    constexpr std::string_view json_type = "application/json";
    const bool says_json = !type || iequals(type->substr(0, json_type.size()), json_type);
    if (!x.collected() || says_json) {
        x.fail(json.error());
        co_return;
    }
    co_await admit(x, next, estimate_tokens(x.collected_body().size(), nullptr, config_), x.model);
}

awaitable<void> quota_stage::admit_json(exchange& x, next_stage next, const json_object* json) {
    std::string model = x.model;
    if (model.empty()) {
        if (const auto field = json->find("model")) model = field->string().value_or("");
    }
    return admit(x, next, estimate_tokens(x.collected_body().size(), json, config_), std::move(model));
}

awaitable<void> quota_stage::admit(exchange& x, next_stage next, token_estimate tokens, std::string model) {
    admission taken(x, services_.time(), tokens);
    limit_headers headers(x.reply(), taken.requests(), taken.tokens());
    for (quota_rule& rule : rules_) {
        auto refused = taken.take(rule, rule.subject(x, model), config_.on_full);
        if (!refused) continue;
        if (config_.headers) headers.set(x.failure_headers);
        x.fail(std::move(*refused));
        co_return;
    }
    const session_meter meter(x, taken);
    if (!config_.headers) {
        co_await next(x);
        co_return;
    }
    const sink_scope around(x, headers, sink_scope::needs::pieces);
    co_await next(x);
    if (x.failure() && !x.committed()) headers.set(x.failure_headers);
}

}  // namespace sluice::quota
