#include "dialects/gemini/content_writer.hpp"
#include "dialects/gemini/gemini.hpp"
#include "dialects/values.hpp"
#include "http/json_writer.hpp"

#include <algorithm>

namespace sluice::chat::gemini {
namespace {

using http::json_writer;

constexpr std::string_view config_prefix = "generationConfig.", tool_prefix = "toolConfig.";

bool is_zero(json number) {
    return number.find_first_not_of("-0.") == std::string_view::npos;
}

class request_writer {
public:
    request_writer(const conversation& c, std::string_view model, losses& lost, std::string& out)
        : c_(c), model_(model), lost_(lost), w_(out) {}

    result<void> write() {
        w_.begin_object();
        auto written = write_turns(c_, model_, lost_, w_);
        if (written) written = tools();
        if (written) written = generation();
        if (!written) return written;
        if (!c_.safety_settings.empty()) w_.key("safetySettings").raw(c_.safety_settings);
        others();
        w_.end_object();
        return {};
    }

private:
    bool own() const { return c_.dialect == dialect_name; }

    result<void> tools() {
        const auto functions = std::count_if(c_.tools.begin(), c_.tools.end(),
                                             [](const tool& t) { return t.what == tool::kind::function; });
        if (!c_.tools.empty()) {
            w_.key("tools").begin_array();
            if (functions > 0) w_.begin_object().key("functionDeclarations").begin_array();
            for (std::size_t i = 0; i < c_.tools.size(); ++i) {
                if (auto written = function(c_.tools[i], "tools[" + std::to_string(i) + "]"); !written) return written;
            }
            if (functions > 0) w_.end_array().end_object();
            for (const tool& t : c_.tools) {
                if (t.what == tool::kind::native && t.dialect == dialect_name) w_.raw(t.definition);
            }
            w_.end_array();
        }
        tool_config();
        if (c_.choice.parallel == false && functions > 0)
            return lost_.feature("parallel_tool_calls", "a limit of one call at a time");
        return {};
    }

    result<void> function(const tool& t, const std::string& at) {
        if (t.what == tool::kind::native)
            return t.dialect == dialect_name ? result<void>{}
                                             : lost_.feature(at, "a tool that another provider runs itself");
        if (t.what == tool::kind::custom) return lost_.feature(at, "a tool that takes free text");
        w_.begin_object().key("name").raw(t.name);
        if (!t.description.empty()) w_.key("description").raw(t.description);
        if (!t.parameters.empty()) w_.key("parametersJsonSchema").raw(t.parameters);
        if (own()) {
            for (const extra_field& f : t.extras) w_.key(f.key).raw(f.value);
        } else {
            lost_.hints(t.extras, at + ".");
        }
        w_.end_object();
        if (t.strict == "true") lost_.hint(at + ".strict");
        if (!t.cache_control.empty()) lost_.hint(at + ".cache_control");
        return {};
    }

    void tool_config() {
        using mode = tool_choice::mode;
        const tool_choice& choice = c_.choice;
        const bool extras = own() && std::any_of(c_.extras.begin(), c_.extras.end(),
                                                 [](const extra_field& f) { return f.key.starts_with(tool_prefix); });
        if (choice.how == mode::unset && !extras) return;
        w_.key("toolConfig").begin_object();
        if (choice.how != mode::unset) {
            // Only ANY and VALIDATED take a choice of functions.
            const std::string_view name = choice.how == mode::none        ? "NONE"
                                          : choice.how != mode::automatic ? "ANY"
                                          : choice.allowed.empty()        ? "AUTO"
                                                                          : "VALIDATED";
            w_.key("functionCallingConfig").begin_object().key("mode").string(name);
            if (choice.how == mode::named || !choice.allowed.empty()) {
                w_.key("allowedFunctionNames").begin_array();
                if (choice.how == mode::named) w_.raw(choice.name);
                for (const json allowed : choice.allowed) w_.raw(allowed);
                w_.end_array();
            }
            w_.end_object();
        }
        prefixed(tool_prefix);
        w_.end_object();
    }

    // Fields of Gemini's own objects that have no other name here.
    void prefixed(std::string_view prefix) {
        if (!own()) return;
        for (const extra_field& f : c_.extras) {
            if (f.key.starts_with(prefix)) w_.key(f.key.substr(prefix.size())).raw(f.value);
        }
    }

    void number(std::string_view key, json value) {
        if (!value.empty()) w_.key(key).raw(value);
    }

    result<void> generation() {
        w_.key("generationConfig").begin_object();
        const sampling_options& s = c_.sampling;
        number("temperature", s.temperature);
        number("topP", s.top_p);
        number("topK", s.top_k);
        if (!s.candidates.empty() && s.candidates != "1") number("candidateCount", s.candidates);
        if (s.tokens_max) w_.key("maxOutputTokens").integer(*s.tokens_max);
        if (!s.stop.empty()) {
            w_.key("stopSequences").begin_array();
            for (const json stop : s.stop) w_.raw(stop);
            w_.end_array();
        }
        number("seed", s.seed);
        number("presencePenalty", s.presence_penalty);
        number("frequencyPenalty", s.frequency_penalty);
        number("responseLogprobs", s.logprobs);
        number("logprobs", s.top_logprobs);
        if (!s.min_p.empty() && !is_zero(s.min_p)) lost_.hint("min_p");
        if (!s.repetition_penalty.empty()) lost_.hint("repetition_penalty");
        format();
        modalities();
        thinking();
        prefixed(config_prefix);
        w_.end_object();
        if (!s.logit_bias.empty() && s.logit_bias != "{}") return lost_.feature("logit_bias", "a bias of tokens");
        return {};
    }

    void format() {
        using kind = response_format::kind;
        const response_format& f = c_.format;
        if (f.what == kind::text) w_.key("responseMimeType").string("text/plain");
        if (f.what == kind::json_object || f.what == kind::json_schema) {
            const bool other = own() && std::any_of(c_.extras.begin(), c_.extras.end(), [](const extra_field& e) {
                                   return e.key == "generationConfig.responseMimeType";
                               });
            if (!other) w_.key("responseMimeType").string("application/json");
        }
        if (f.what == kind::json_schema && !f.schema.empty()) w_.key("responseJsonSchema").raw(f.schema);
    }

    void modalities() {
        if (c_.modalities.empty()) return;
        std::string upper(c_.modalities);
        std::transform(upper.begin(), upper.end(), upper.begin(),
                       [](char ch) { return ch >= 'a' && ch <= 'z' ? static_cast<char>(ch & ~0x20) : ch; });
        w_.key("responseModalities").raw(upper);
    }

    // By level from Gemini 3 on, by budget before. There a pro model cannot stop thinking: the least is asked for.
    void thinking() {
        const reasoning_options& r = c_.reasoning;
        if (r.how == reasoning_options::mode::unset) return;
        w_.key("thinkingConfig").begin_object();
        const bool off = r.how == reasoning_options::mode::off;
        if (thinks_by_level(model_)) {
            const std::string_view effort = off ? "low" : r.effort.empty() ? effort_of(r.budget) : r.effort;
            const bool more = effort == "xhigh" || effort == "max";
            if (!effort.empty()) w_.key("thinkingLevel").string(more ? "high" : effort);
        } else if (off) {
            w_.key("thinkingBudget").integer(model_.find("-pro") == std::string_view::npos ? 0 : 128);
        } else {
            w_.key("thinkingBudget").integer(r.budget ? *r.budget : r.effort.empty() ? -1 : budget_of(r.effort));
        }
        // Who asks for thinking in another dialect gets the thoughts, unless he said not to.
        if (r.show || (!off && !own())) w_.key("includeThoughts").boolean(r.show.value_or(true));
        w_.end_object();
    }

    void others() {
        const auto hint = [&](std::string_view key, json value) {
            if (!value.empty()) lost_.hint(std::string(key));
        };
        hint("user", c_.user);
        hint("metadata", c_.metadata);
        hint("service_tier", c_.service_tier);
        hint("prompt_cache_key", c_.prompt_cache_key);
        hint("verbosity", c_.verbosity);
        hint("audio", c_.audio);
        hint("cache_control", c_.cache_control);
        for (const extra_field& f : c_.extras) {
            if (!own()) {
                lost_.hint(std::string(f.key));
            } else if (!f.key.starts_with(config_prefix) && !f.key.starts_with(tool_prefix)) {
                w_.key(f.key).raw(f.value);
            }
        }
    }

    const conversation& c_;
    const std::string_view model_;
    losses& lost_;
    json_writer w_;
};

}  // namespace

result<void> write_request(const conversation& c, const target_facts& t, losses& lost, std::string& out) {
    return request_writer(c, t.model, lost, out).write();
}

}  // namespace sluice::chat::gemini
