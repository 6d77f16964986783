#include "dialects/bedrock/options.hpp"

#include "dialects/bedrock/message_writer.hpp"
#include "dialects/values.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_set>

namespace sluice::chat::bedrock {

namespace {

constexpr double thinking_top_p_min = 0.95;  // Claude's, while it thinks

double number_of(json value) {
    return json_value{json_type::number, value}.number().value_or(0);
}

// A number that says what the target does anyway is no loss.
bool says_only(json value, double usual) {
    return is_null(value) || (type_of(value) == json_type::number && number_of(value) == usual);
}

// Fields of Converse itself. A client, or a rule of the route, may set them whatever dialect the client speaks: no
// other dialect has such names.
struct native_field {
    std::string_view name;
    json_type type;
};
constexpr std::array native_fields = std::to_array<native_field>({
    {"guardrailConfig", json_type::object},
    {"performanceConfig", json_type::object},
    {"promptVariables", json_type::object},
    {"requestMetadata", json_type::object},
    {"additionalModelResponseFieldPaths", json_type::array},
});
constexpr std::string_view more_fields = "additionalModelRequestFields";

const extra_field* find_extra(const extra_fields& extras, std::string_view key) {
    const auto found = std::find_if(extras.begin(), extras.end(), [&](const auto& f) { return f.key == key; });
    return found == extras.end() ? nullptr : &*found;
}

// requestMetadata takes up to 16 strings of these characters, keys and values of at most 256.
bool fits_metadata(json metadata) {
    constexpr std::string_view others = " _:@$#=/+,.-";
    const auto fits = [&](std::string_view s) {
        return s.size() <= 256 && std::all_of(s.begin(), s.end(), [&](char c) {
                   return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          others.find(c) != std::string_view::npos;
               });
    };
    std::size_t members = 0;
    bool all = true;
    each_member(metadata, [&](std::string_view key, const json_value& v) {
        all = all && !key.empty() && fits(key) && is_string(v.raw) && fits(chars_of(v.raw));
        ++members;
    });
    return all && members > 0 && members <= 16;
}

}  // namespace

result<void> options_writer::write() {
    auto written = refuse_what_is_missing();
    if (!written) return written;
    field_list more;
    think(more);
    write_inference(more);
    written = write_tools();
    if (written) written = write_format();
    if (!written) return written;
    write_more(more);
    write_tier();
    write_metadata();
    pass_native_fields();
    return {};
}

result<void> options_writer::refuse_what_is_missing() {
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
        {s.logprobs == "true" || !says_only(s.top_logprobs, 0), "logprobs", "log probabilities"},
        {s.logit_bias.find(':') != json::npos, "logit_bias", "a bias of tokens"},
        {!says_only(s.presence_penalty, 0), "presence_penalty", "a presence penalty"},
        {!says_only(s.frequency_penalty, 0), "frequency_penalty", "a frequency penalty"},
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
        {"seed", s.seed},
        {"user", c_.user},
        {"prompt_cache_key", c_.prompt_cache_key},
        {"safety_settings", c_.safety_settings},
        {"verbosity", c_.verbosity},
        {"audio", c_.audio},
    };
    for (const auto& [name, value] : hints) {
        if (!is_null(value)) lost_.hint(std::string(name));
    }
    return {};
}

void options_writer::write_inference(field_list& more) {
    const sampling_options& s = c_.sampling;
    json temperature = is_null(s.temperature) ? json{} : s.temperature;
    json top_p = is_null(s.top_p) ? json{} : s.top_p;
    json top_k = is_null(s.top_k) ? json{} : s.top_k;
    const auto lose = [&](json& value, std::string_view name, double usual) {
        if (!says_only(value, usual)) lost_.hint(std::string(name));
        value = {};
    };
    if (!facts_.sampling) {
        lose(temperature, "temperature", 1);
        lose(top_p, "top_p", 1);
        lose(top_k, "top_k", -1);
    }
    // Claude thinks with settings of its own.
    if (thinks_ && facts_.by == model_maker::claude) {
        lose(temperature, "temperature", 1);
        lose(top_k, "top_k", -1);
        if (!top_p.empty() && number_of(top_p) < thinking_top_p_min) lose(top_p, "top_p", 1);
    }
    if (!temperature.empty() && !top_p.empty() && facts_.one_sampling) lose(top_p, "top_p", 1);
    if (!temperature.empty() && number_of(temperature) > 1) {
        lost_.hint("temperature");  // OpenAI's goes up to 2, Bedrock's to 1
        temperature = "1";
    }
    if (!top_k.empty() && facts_.by == model_maker::claude) more.emplace_back("top_k", top_k);
    if (!top_k.empty() && facts_.by == model_maker::nova) {
        more.emplace_back("inferenceConfig", arena_.keep("{\"topK\":" + std::string(top_k) + "}"));
    }
    if (!top_k.empty() && facts_.by != model_maker::claude && facts_.by != model_maker::nova) lost_.hint("top_k");

    std::vector<json> stops;
    for (const json stop : s.stop) {
        if (!is_empty_string(stop)) stops.push_back(stop);
    }
    if (!s.tokens_max && temperature.empty() && top_p.empty() && stops.empty()) return;
    w_.key("inferenceConfig").begin_object();
    if (s.tokens_max) w_.key("maxTokens").integer(*s.tokens_max);
    if (!temperature.empty()) w_.key("temperature").raw(temperature);
    if (!top_p.empty()) w_.key("topP").raw(top_p);
    if (!stops.empty()) {
        w_.key("stopSequences").begin_array();
        for (const json stop : stops) w_.raw(stop);
        w_.end_array();
    }
    w_.end_object();
}

bool options_writer::calls_in_history() const {
    return std::any_of(c_.messages.begin(), c_.messages.end(), [](const message& m) {
        return std::any_of(m.content.begin(), m.content.end(), [](const part& p) {
            return std::holds_alternative<tool_call>(p.value) || std::holds_alternative<tool_result>(p.value);
        });
    });
}

result<void> options_writer::write_tools() {
    // No call is wanted: without tools there is none. But Bedrock wants the tools where there were calls before.
    const bool none = c_.choice.how == tool_choice::mode::none;
    if (none && !calls_in_history()) return {};
    if (c_.tools.empty()) {
        write_called_tools();
        return {};
    }
    const auto& allowed = c_.choice.allowed;
    bool open = false;
    for (std::size_t i = 0; i < c_.tools.size(); ++i) {
        const tool& t = c_.tools[i];
        if (!allowed.empty() && std::find(allowed.begin(), allowed.end(), t.name) == allowed.end()) continue;
        auto written = write_tool(t, "tools[" + std::to_string(i) + "]", open);
        if (!written) return written;
    }
    if (open) w_.end_array();
    auto chosen = write_choice(open);
    if (open) w_.end_object();
    if (c_.choice.parallel == false) lost_.hint("parallel_tool_calls");
    return chosen;
}

// Bedrock refuses calls in the history of a request without tools. Their names are all that is known of them.
void options_writer::write_called_tools() {
    std::unordered_set<std::string_view> seen;
    for (const message& m : c_.messages) {
        for (const part& p : m.content) {
            const auto* call = std::get_if<tool_call>(&p.value);
            if (call == nullptr || call->what != tool_call::kind::function || !seen.insert(call->name).second) continue;
            if (seen.size() == 1) w_.key("toolConfig").begin_object().key("tools").begin_array();
            w_.begin_object().key("toolSpec").begin_object().key("name").raw(call->name);
            w_.key("inputSchema").raw(R"({"json":{"type":"object","properties":{}}})").end_object().end_object();
        }
    }
    if (seen.empty()) return;
    w_.end_array().end_object();
    lost_.hint("tools");
}

bool options_writer::forced() const {
    const auto how = c_.choice.how;
    return !c_.tools.empty() && (how == tool_choice::mode::required || how == tool_choice::mode::named);
}

result<void> options_writer::write_tool(const tool& t, const std::string& where, bool& open) {
    if (t.what != tool::kind::function) {
        return lost_.feature(
            where, t.what == tool::kind::custom ? "a tool that takes free text" : "a tool that a provider runs itself");
    }
    if (!open) w_.key("toolConfig").begin_object().key("tools").begin_array();
    open = true;
    w_.begin_object().key("toolSpec").begin_object().key("name").raw(t.name);
    if (!t.description.empty() && !is_blank(t.description)) w_.key("description").raw(t.description);
    w_.key("inputSchema").begin_object().key("json");
    w_.raw(t.parameters.empty() ? json{R"({"type":"object","properties":{}})"} : t.parameters).end_object();
    if (t.strict == "true" && facts_.strict_tools) w_.key("strict").boolean(true);
    if (t.strict == "true" && !facts_.strict_tools) lost_.hint(where + ".strict");
    w_.end_object().end_object();
    if (!t.cache_control.empty() && facts_.cache_points) w_.raw(cache_point_of(t.cache_control, facts_));
    if (!t.cache_control.empty() && !facts_.cache_points) lost_.hint(where + ".cache_control");
    lost_.hints(t.extras, where + ".");
    return {};
}

result<void> options_writer::write_choice(bool any_tool) {
    using mode = tool_choice::mode;
    const mode how = c_.choice.how;
    if (how == mode::none) return lost_.feature("tool_choice", "tools that must not be called");
    if (!any_tool || how == mode::unset) return {};
    if (forced() && !facts_.forced_tools) return lost_.feature("tool_choice", "a call that is forced");
    w_.key("toolChoice").begin_object();
    if (how == mode::named) {
        w_.key("tool").begin_object().key("name").raw(c_.choice.name).end_object();
    } else {
        w_.key(how == mode::required ? "any" : "auto").begin_object().end_object();
    }
    w_.end_object();
    return {};
}

// The schema goes as a string (JsonSchemaDefinition).
result<void> options_writer::write_format() {
    const response_format& f = c_.format;
    const bool schema = f.what == response_format::kind::json_schema && !f.schema.empty();
    if (!schema) {
        if (f.what == response_format::kind::unset || f.what == response_format::kind::text) return {};
        return lost_.feature("response_format", "a JSON answer without a schema");
    }
    w_.key("outputConfig").begin_object().key("textFormat").begin_object().key("type").string("json_schema");
    w_.key("structure").begin_object().key("jsonSchema").begin_object().key("schema").string(f.schema);
    if (!f.name.empty()) w_.key("name").raw(f.name);
    if (!f.description.empty()) w_.key("description").raw(f.description);
    w_.end_object().end_object().end_object().end_object();
    return {};
}

void options_writer::write_more(const field_list& more) {
    const extra_field* const given = find_extra(c_.extras, more_fields);
    const bool takes = given != nullptr && type_of(given->value) == json_type::object;
    field_list fields;
    if (takes) {
        each_member(given->value, [&](std::string_view key, const json_value& v) { fields.emplace_back(key, v.raw); });
    }
    const std::size_t givens = fields.size();
    for (const auto& field : more) {
        const bool twice = std::any_of(fields.begin(), fields.begin() + static_cast<std::ptrdiff_t>(givens),
                                       [&](const auto& f) { return f.first == field.first; });
        if (!twice) fields.push_back(field);  // what was said in the model's own words holds
    }
    if (fields.empty()) return;
    w_.key(more_fields).begin_object();
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const auto& [key, value] = fields[i];
        if (i < givens) {
            w_.key(decode(enclose(key, arena_)));
        } else {
            w_.key(key);
        }
        w_.raw(value);
    }
    w_.end_object();
}

void options_writer::write_tier() {
    const json tier = c_.service_tier;
    if (is_null(tier) || says(tier, "auto")) return;
    const bool standard = says(tier, "standard") || says(tier, "standard_only");
    if (standard || says(tier, "default") || says(tier, "priority") || says(tier, "flex") || says(tier, "reserved")) {
        w_.key("serviceTier").begin_object().key("type").raw(standard ? json{R"("default")"} : tier).end_object();
    } else {
        lost_.hint("service_tier");
    }
}

void options_writer::write_metadata() {
    if (is_null(c_.metadata)) return;
    const bool given = find_extra(c_.extras, "requestMetadata") != nullptr;
    if (given || !fits_metadata(c_.metadata)) {
        lost_.hint("metadata");
    } else {
        w_.key("requestMetadata").raw(c_.metadata);
    }
}

void options_writer::pass_native_fields() {
    for (const extra_field& f : c_.extras) {
        const auto* const native = std::find_if(native_fields.begin(), native_fields.end(),
                                                [&](const native_field& n) { return n.name == f.key; });
        if (native != native_fields.end() && native->type == type_of(f.value)) {
            w_.key(f.key).raw(f.value);
        } else if (f.key != more_fields || type_of(f.value) != json_type::object) {
            lost_.hint(std::string(f.key));
        }
    }
}

}  // namespace sluice::chat::bedrock
