#include "dialects/anthropic/options.hpp"

#include "dialects/values.hpp"

#include <algorithm>

namespace sluice::chat::anthropic {
namespace {

constexpr std::int64_t answer_tokens = 8192;                // where the client set no limit
constexpr std::int64_t budget_min = 1024;                   // Anthropic's own
constexpr std::int64_t budget_max = std::int64_t{1} << 30;  // more than any model has; sums do not overflow

double number_of(json value) {
    return json_value{json_type::number, value}.number().value_or(0);
}

// Text that says nothing but what the target does anyway is no loss.
bool is_number(json value, double expected) {
    return value.empty() || is_null(value) || (type_of(value) == json_type::number && number_of(value) == expected);
}

}  // namespace

result<void> request_options::decide() {
    const auto missing = refuse_what_is_missing();
    if (!missing) return missing.error();
    const auto tools = decide_tools();
    if (!tools) return tools.error();
    const auto format = decide_format();
    if (!format) return format.error();
    decide_thinking();
    decide_effort();
    decide_tokens();
    decide_sampling();
    decide_stops();
    decide_tier();
    if (!native_) lost_.hints(c_.extras);
    return {};
}

// What no model of Anthropic does.
result<void> request_options::refuse_what_is_missing() {
    const sampling_options& s = c_.sampling;
    struct lack {
        bool asked;
        std::string_view field, what;
    };
    const lack lacks[] = {
        {!is_number(s.candidates, 1), "n", "more than one answer"},
        {s.logprobs == "true" || !is_number(s.top_logprobs, 0), "logprobs", "log probabilities"},
        {!s.logit_bias.empty() && type_of(s.logit_bias) == json_type::object && s.logit_bias.find(':') != json::npos,
         "logit_bias", "a bias of tokens"},
        {!is_number(s.presence_penalty, 0), "presence_penalty", "a presence penalty"},
        {!is_number(s.frequency_penalty, 0), "frequency_penalty", "a frequency penalty"},
        {!is_number(s.repetition_penalty, 1), "repetition_penalty", "a repetition penalty"},
        {!is_number(s.min_p, 0), "min_p", "min_p"},
    };
    for (const lack& l : lacks) {
        if (!l.asked) continue;
        const auto refused = lost_.feature(std::string(l.field), l.what);
        if (!refused) return refused.error();
    }
    bool only_text = true;
    each_element(c_.modalities,
                 [&](const json_value& v) { only_text = only_text && (says(v.raw, "text") || says(v.raw, "TEXT")); });
    if (!only_text) {
        const auto refused = lost_.feature("modalities", "any answer but text");
        if (!refused) return refused.error();
    }
    const std::pair<std::string_view, json> hints[] = {
        {"seed", s.seed},
        {"prompt_cache_key", c_.prompt_cache_key},
        {"safety_settings", c_.safety_settings},
        {"verbosity", c_.verbosity},
        {"audio", c_.audio},
    };
    for (const auto& [name, value] : hints) {
        if (!value.empty() && !is_null(value)) lost_.hint(std::string(name));
    }
    if (!c_.metadata.empty() && !native_) lost_.hint("metadata");
    return {};
}

bool request_options::forced() const {
    return choice_ == tool_choice::mode::required || choice_ == tool_choice::mode::named;
}

// Only these may be called: the others are not shown to the model.
bool request_options::writes(const tool& t) const {
    const auto& allowed = c_.choice.allowed;
    return allowed.empty() || std::find(allowed.begin(), allowed.end(), t.name) != allowed.end();
}

result<void> request_options::decide_tools() {
    for (std::size_t i = 0; i < c_.tools.size(); ++i) {
        const tool& t = c_.tools[i];
        if (!writes(t)) continue;
        const std::string where = "tools[" + std::to_string(i) + "]";
        if (t.what == tool::kind::custom || (t.what == tool::kind::native && t.dialect != dialect_name)) {
            const auto refused = lost_.feature(
                where, t.what == tool::kind::custom ? "a tool that takes free text" : "a tool of another provider");
            if (!refused) return refused.error();
            continue;
        }
        if (t.strict == "true" && !(v_.strict_tools && (native_ || traits_.strict_tools)))
            lost_.hint(where + ".strict");
        if (!native_) lost_.hints(t.extras, where + ".");
        tools_.push_back(&t);
    }
    if (tools_.empty()) return {};
    choice_ = c_.choice.how;
    if (forced() && !traits_.forced_tools) {
        const auto refused = lost_.feature("tool_choice", "a call that is forced");
        if (!refused) return refused.error();
        choice_ = tool_choice::mode::automatic;
    }
    return {};
}

result<void> request_options::decide_format() {
    if (c_.format.what != response_format::kind::json_object &&
        !(c_.format.what == response_format::kind::json_schema && c_.format.schema.empty()))
        return {};
    return lost_.feature("response_format", "a JSON answer without a schema");
}

// Which of the forms of `thinking` the model takes, if any.
void request_options::decide_thinking() {
    using kind = thinking_plan::kind;
    const reasoning_options& r = c_.reasoning;
    const bool none = r.effort == "none" || (r.budget && *r.budget == 0);
    const bool asked = !none && (r.how == reasoning_options::mode::on ||
                                 (r.how == reasoning_options::mode::unset && !r.effort.empty() && !native_));
    const bool off = r.how == reasoning_options::mode::off || none;
    const bool stays_off = forced() && asked && !traits_.thinks_when_forced;
    if (stays_off) lost_.hint("reasoning_effort");  // the forced call is what the client relies on
    if (off) turn_off();
    if (off || !asked || stays_off) return;
    const bool as_it_likes = r.budget && *r.budget < 0 && (native_ || r.effort.empty());
    const bool adaptive = traits_.known ? traits_.adaptive : as_it_likes;
    thinking_.what =
        adaptive && !(native_ && traits_.budgets && r.budget && *r.budget > 0) ? kind::adaptive : kind::enabled;
    if (thinking_.what == kind::enabled) {
        const bool counted = r.budget && *r.budget > 0;
        thinking_.budget = counted ? *r.budget : budget_of_effort(r.effort.empty() ? "medium" : r.effort);
        thinking_.budget = std::clamp(thinking_.budget, budget_min, budget_max);
    }
    decide_display();
}

void request_options::turn_off() {
    if (traits_.off == model_traits::off_switch::none) {
        lost_.hint("reasoning_effort");
        thinking_.effort = "low";
    } else if (traits_.off == model_traits::off_switch::between_tools) {
        thinking_.what = thinking_plan::kind::between_tools;
    } else if (traits_.thinks_by_default || native_) {
        thinking_.what = thinking_plan::kind::disabled;
    }
}

// Models that take budgets show a summary unless told otherwise, later ones nothing.
void request_options::decide_display() {
    const reasoning_options& r = c_.reasoning;
    if (!r.show && r.summary.empty()) return;
    const bool shown = r.show.value_or(true);
    if (!native_ && shown == traits_.budgets) return;  // as it does anyway
    if (!native_ && !traits_.known) return;            // a server that may not know the field
    thinking_.display = shown ? "summarized" : "omitted";
}

void request_options::decide_effort() {
    const reasoning_options& r = c_.reasoning;
    std::string_view effort = r.effort;
    if (thinking_.what == thinking_plan::kind::adaptive && effort.empty() && r.budget && *r.budget > 0)
        effort = effort_of_budget(*r.budget);
    if (effort.empty() || effort == "none" || !thinking_.effort.empty()) return;
    if (thinking_.what == thinking_plan::kind::enabled && !native_) return;  // the budget says it
    if (!traits_.effort && !(native_ && !traits_.known)) {
        lost_.hint("reasoning_effort");
        return;
    }
    if (effort == "minimal") effort = "low";
    if (effort == "xhigh" && traits_.known && !traits_.effort_xhigh) effort = "max";
    thinking_.effort = effort;
}

// The limit holds thinking and answer. Where the client set none, there is room for both.
void request_options::decide_tokens() {
    using kind = thinking_plan::kind;
    const bool thinks = thinking_.what == kind::adaptive || thinking_.what == kind::enabled ||
                        (thinking_.what == kind::unsaid && traits_.thinks_by_default);
    if (!c_.sampling.tokens_max) {
        const std::int64_t budget = thinking_.what == kind::enabled
                                        ? thinking_.budget
                                        : budget_of_effort(thinking_.effort.empty() ? "high" : thinking_.effort);
        thinking_.tokens_max = answer_tokens + (thinks ? budget : 0);
        return;
    }
    thinking_.tokens_max = *c_.sampling.tokens_max;
    if (thinking_.what != kind::enabled || native_ || thinking_.budget < thinking_.tokens_max) return;
    lost_.hint("max_tokens");
    thinking_.tokens_max += thinking_.budget;
}

void request_options::decide_sampling() {
    using kind = thinking_plan::kind;
    const sampling_options& s = c_.sampling;
    const bool thinks = thinking_.what == kind::adaptive || thinking_.what == kind::enabled;
    const auto lose = [&](json& value, std::string_view name) {
        value = {};
        lost_.hint(std::string(name));
    };
    temperature_ = is_null(s.temperature) ? json{} : s.temperature;
    top_p_ = is_null(s.top_p) ? json{} : s.top_p;
    top_k_ = is_null(s.top_k) ? json{} : s.top_k;
    if (!traits_.sampling || thinks) {
        if (!is_number(temperature_, 1)) lose(temperature_, "temperature");
        if (!top_k_.empty()) lose(top_k_, "top_k");
        if (!is_number(top_p_, 1) && (!traits_.sampling || number_of(top_p_) < 0.95)) lose(top_p_, "top_p");
        if (!traits_.sampling) temperature_ = top_p_ = {};  // what is left is what it does anyway
    }
    if (!temperature_.empty() && number_of(temperature_) > 1) {
        lost_.hint("temperature");
        temperature_ = "1";
    }
    if (!temperature_.empty() && !top_p_.empty()) {  // newer models take one of the two
        if (!is_number(top_p_, 1)) lost_.hint("top_p");
        top_p_ = {};
    }
}

void request_options::decide_stops() {
    for (const json stop : c_.sampling.stop) {
        if (decode(stop).find_first_not_of(" \t\r\n") == std::string::npos) {
            lost_.hint("stop");  // Anthropic takes no stop text of nothing but white space
        } else {
            stop_.push_back(stop);
        }
    }
}

void request_options::decide_tier() {
    const json tier = c_.service_tier;
    if (is_null(tier)) return;
    const bool standard = says(tier, "default") || says(tier, "standard") || says(tier, "standard_only");
    if (!v_.account_options) {
        if (!standard && !says(tier, "auto")) lost_.hint("service_tier");
    } else if (native_ || says(tier, "auto")) {
        service_tier_ = tier;
    } else if (standard) {
        service_tier_ = "\"standard_only\"";
    } else {
        lost_.hint("service_tier");
    }
}

}  // namespace sluice::chat::anthropic
