#include "dialects/cohere/message_writer.hpp"
#include "dialects/cohere/parts.hpp"
#include "dialects/values.hpp"

#include <algorithm>
#include <array>

namespace sluice::chat::cohere {

namespace {

double number_of(json value) {
    return json_value{json_type::number, value}.number().value_or(0);
}

// A number that says what the target does anyway is no loss.
bool says_only(json value, double usual) {
    return is_null(value) || (type_of(value) == json_type::number && number_of(value) == usual);
}

struct native_field {
    std::string_view name;
    json_type type;
};
// Fields of Cohere's own, which a client or a rule of the route may set whatever dialect the client speaks.
constexpr std::array native_fields = std::to_array<native_field>({
    {"citation_options", json_type::object},
    {"safety_mode", json_type::string},
    {"strict_tools", json_type::boolean},
    {"priority", json_type::number},
    {"raw_prompting", json_type::boolean},
});

class request_writer {
public:
    request_writer(const conversation& c, losses& lost, std::string& out) : c_(c), lost_(lost), w_(out) {}

    result<void> write(std::string_view model) {
        w_.begin_object().key("model").string(model);
        message_writer messages(c_, lost_, arena_, w_);
        auto written = messages.write();
        if (written) written = refuse_what_is_missing();
        if (written) written = tools();
        if (!written) return written;
        documents(messages.documents());
        format();
        sampling();
        thinking(model);
        natives();
        w_.key("stream").boolean(c_.stream).end_object();
        return {};
    }

private:
    result<void> refuse_what_is_missing();
    result<void> tools();
    void tool_of(const tool& t, const std::string& at);
    void documents(const std::vector<json>& found);
    void format();
    void sampling();
    void number(std::string_view name, std::string_view told, json value, std::string_view least,
                std::string_view most);
    void thinking(std::string_view model);
    void natives();
    bool shown(const tool& t) const;

    const conversation& c_;
    losses& lost_;
    http::json_writer w_;
    text_arena arena_;
};

result<void> request_writer::refuse_what_is_missing() {
    const sampling_options& s = c_.sampling;
    bool only_text = true;
    each_element(c_.modalities,
                 [&](const json_value& v) { only_text = only_text && (says(v.raw, "text") || says(v.raw, "TEXT")); });
    struct lack {
        bool asked;
        std::string_view field, what;
    };
    const lack lacks[] = {
        {!says_only(s.candidates, 1), "n", "more than one answer"},
        {s.logit_bias.find(':') != json::npos, "logit_bias", "a bias of tokens"},
        {!says_only(s.top_logprobs, 0), "top_logprobs", "log probabilities of other tokens"},
        {!says_only(s.repetition_penalty, 1), "repetition_penalty", "a repetition penalty"},
        {!says_only(s.min_p, 0), "min_p", "min_p"},
        {!only_text, "modalities", "any answer but text"},
    };
    for (const lack& l : lacks) {
        if (!l.asked) continue;
        auto refused = lost_.feature(std::string(l.field), l.what);
        if (!refused) return refused;
    }
    const std::pair<std::string_view, json> hints[] = {
        {"user", c_.user},
        {"metadata", c_.metadata},
        {"prompt_cache_key", c_.prompt_cache_key},
        {"cache_control", c_.cache_control},
        {"safety_settings", c_.safety_settings},
        {"verbosity", c_.verbosity},
        {"audio", c_.audio},
    };
    for (const auto& [name, value] : hints) {
        if (!is_null(value)) lost_.hint(std::string(name));
    }
    const json tier = c_.service_tier;
    if (!is_null(tier) && !says(tier, "auto") && !says(tier, "default")) lost_.hint("service_tier");
    return {};
}

// A named tool is the only one that is shown, and has to be called.
bool request_writer::shown(const tool& t) const {
    if (c_.choice.how == tool_choice::mode::named) return t.name == c_.choice.name;
    const auto& allowed = c_.choice.allowed;
    return allowed.empty() || std::find(allowed.begin(), allowed.end(), t.name) != allowed.end();
}

result<void> request_writer::tools() {
    using mode = tool_choice::mode;
    bool any = false;
    bool strict = true;
    for (std::size_t i = 0; i < c_.tools.size(); ++i) {
        const tool& t = c_.tools[i];
        const std::string at = "tools[" + std::to_string(i) + "]";
        if (!shown(t)) continue;
        if (t.what != tool::kind::function) {
            auto refused = lost_.feature(at, t.what == tool::kind::custom ? "a tool that takes free text"
                                                                          : "a tool that a provider runs itself");
            if (!refused) return refused;
            continue;
        }
        if (!any) w_.key("tools").begin_array();
        any = true;
        strict = strict && t.strict == "true";
        tool_of(t, at);
    }
    if (c_.choice.parallel == false && any) lost_.hint("parallel_tool_calls");
    if (!any) return {};
    w_.end_array();
    const mode how = c_.choice.how;
    if (how == mode::required || how == mode::named) w_.key("tool_choice").string("REQUIRED");
    if (how == mode::none) w_.key("tool_choice").string("NONE");
    const bool told =
        std::any_of(c_.extras.begin(), c_.extras.end(), [](const extra_field& f) { return f.key == "strict_tools"; });
    if (strict && !told) w_.key("strict_tools").boolean(true);
    for (std::size_t i = 0; i < c_.tools.size() && !strict && !told; ++i) {
        // All are strict, or none.
        if (c_.tools[i].strict == "true" && shown(c_.tools[i])) lost_.hint("tools[" + std::to_string(i) + "].strict");
    }
    return {};
}

void request_writer::tool_of(const tool& t, const std::string& at) {
    w_.begin_object().key("type").string("function").key("function").begin_object().key("name").raw(t.name);
    if (!t.description.empty()) w_.key("description").raw(t.description);
    w_.key("parameters").raw(t.parameters.empty() ? json{R"({"type":"object","properties":{}})"} : t.parameters);
    w_.end_object().end_object();
    if (!t.cache_control.empty()) lost_.hint(at + ".cache_control");
    lost_.hints(t.extras, at + ".");
}

// What the client gave in Cohere's own field, and the plain texts that stood in its messages.
void request_writer::documents(const std::vector<json>& found) {
    json given;
    for (const extra_field& f : c_.extras) {
        if (f.key == "documents" && type_of(f.value) == json_type::array) given = f.value;
    }
    if (given.empty() && found.empty()) return;
    w_.key("documents").begin_array();
    each_element(given, [&](const json_value& v) { w_.raw(v.raw); });
    for (const json d : found) w_.raw(d);
    w_.end_array();
}

void request_writer::format() {
    using kind = response_format::kind;
    if (c_.format.what != kind::json_object && c_.format.what != kind::json_schema) return;
    w_.key("response_format").begin_object().key("type").string("json_object");
    if (!c_.format.schema.empty()) w_.key("json_schema").raw(c_.format.schema);
    w_.end_object();
}

// Out of Cohere's range, the nearest inside is written and the field reported.
void request_writer::number(std::string_view name, std::string_view told, json value, std::string_view least,
                            std::string_view most) {
    if (is_null(value)) return;
    const bool below = type_of(value) == json_type::number && !least.empty() && number_of(value) < number_of(least);
    const bool above = type_of(value) == json_type::number && !most.empty() && number_of(value) > number_of(most);
    if ((below || above) && !(above && told == "top_p" && number_of(value) == 1)) lost_.hint(std::string(told));
    w_.key(name).raw(below ? least : above ? most : value);
}

void request_writer::sampling() {
    const sampling_options& s = c_.sampling;
    if (s.tokens_max) w_.key("max_tokens").integer(*s.tokens_max);
    if (!s.stop.empty()) {
        w_.key("stop_sequences").begin_array();
        for (const json stop : s.stop) w_.raw(stop);
        w_.end_array();
    }
    number("temperature", "temperature", s.temperature, "0", {});
    number("p", "top_p", s.top_p, "0.01", "0.99");  // 1, all tokens, is 0.99 there
    number("k", "top_k", s.top_k, "0", "500");
    number("frequency_penalty", "frequency_penalty", s.frequency_penalty, "0", "1");
    number("presence_penalty", "presence_penalty", s.presence_penalty, "0", "1");
    number("seed", "seed", s.seed, "0", {});
    if (s.logprobs == "true") w_.key("logprobs").boolean(true);
}

void request_writer::thinking(std::string_view model) {
    const reasoning_options& r = c_.reasoning;
    const bool off = r.how == reasoning_options::mode::off || r.effort == "none" || r.budget == 0;
    const bool asked = r.how == reasoning_options::mode::on || !r.effort.empty() || r.budget.has_value();
    if (off) {
        // Models that reason do so unless they are told not to; others do not know the field.
        if (model.find("reasoning") == std::string_view::npos) return;
        w_.key("thinking").begin_object().key("type").string("disabled").end_object();
        return;
    }
    if (!asked) return;
    std::int64_t budget = r.budget.value_or(-1);
    if (!r.budget) {  // the table of docs/dialects.md
        if (r.effort == "minimal" || r.effort == "low") budget = 1024;
        if (r.effort == "medium") budget = 8192;
        if (r.effort == "high") budget = 24576;
        if (r.effort == "xhigh" || r.effort == "max") budget = 32768;
    }
    w_.key("thinking").begin_object().key("type").string("enabled");
    if (budget > 0) w_.key("token_budget").integer(budget);
    w_.end_object();
}

void request_writer::natives() {
    for (const extra_field& f : c_.extras) {
        const auto* const native = std::find_if(native_fields.begin(), native_fields.end(),
                                                [&](const native_field& n) { return n.name == f.key; });
        if (native != native_fields.end() && native->type == type_of(f.value)) {
            w_.key(f.key).raw(f.value);
        } else if (f.key != "documents" || type_of(f.value) != json_type::array) {
            lost_.hint(std::string(f.key));
        }
    }
}

}  // namespace

result<void> write_chat_request(const conversation& c, std::string_view model, losses& lost, std::string& out) {
    return request_writer(c, lost, out).write(model);
}

}  // namespace sluice::chat::cohere
