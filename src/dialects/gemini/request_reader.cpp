#include "dialects/gemini/content_reader.hpp"
#include "dialects/gemini/fields.hpp"
#include "dialects/gemini/gemini.hpp"
#include "dialects/values.hpp"

#include <algorithm>
#include <optional>

namespace sluice::chat::gemini {
namespace {

result<void> read_function(const json_value& v, conversation& c) {
    const std::string at = "tools.functionDeclarations";
    const auto o = json_object::inside(v);
    if (!o) return v.type == json_type::object ? o.error() : wrong_type(at, "an array of objects");
    tool t;
    for (const json_member& m : o->members()) {
        if (m.value.type == json_type::null) continue;
        if (m.key == "name") {
            t.name = m.value.raw;
        } else if (m.key == "description") {
            t.description = m.value.raw;
        } else if (m.key == "parameters") {
            t.parameters = plain_schema(m.value.raw, c.arena);
        } else if (is_field(m.key, "parametersJsonSchema")) {
            t.parameters = m.value.raw;
        } else {
            t.extras.push_back({m.key, m.value.raw});
        }
    }
    if (!is_string(t.name)) return wrong_type(at + ".name", "a string");
    c.tools.push_back(std::move(t));
    return {};
}

result<void> read_tool(const json_value& v, conversation& c) {
    const auto o = json_object::inside(v);
    if (!o) return v.type == json_type::object ? o.error() : wrong_type("tools", "an array of objects");
    for (const json_member& m : o->members()) {
        if (m.value.type == json_type::null) continue;
        if (!is_field(m.key, "functionDeclarations")) {
            tool t;
            t.what = tool::kind::native;
            t.name = quote(m.key, c.arena);
            t.definition = c.arena.keep("{\"" + std::string(m.key) + "\":" + std::string(m.value.raw) + "}");
            t.dialect = dialect_name;
            c.tools.push_back(std::move(t));
            continue;
        }
        result<void> read;
        each_element(m.value.raw, [&](const json_value& f) {
            if (read) read = read_function(f, c);
        });
        if (!read) return read;
    }
    return {};
}

result<void> read_tools(const json_value& v, conversation& c) {
    if (v.type == json_type::object) return read_tool(v, c);
    if (v.type != json_type::array) return wrong_type("tools", "an array");
    result<void> read;
    each_element(v.raw, [&](const json_value& t) {
        if (read) read = read_tool(t, c);
    });
    return read;
}

result<void> read_tool_config(const json_value& v, conversation& c) {
    using mode = tool_choice::mode;
    json how;
    each_member(v.raw, [&](std::string_view key, const json_value& config) {
        if (!is_field(key, "functionCallingConfig")) {
            c.extras.push_back({c.arena.keep("toolConfig." + std::string(key)), config.raw});
            return;
        }
        each_member(config.raw, [&](std::string_view k, const json_value& m) {
            if (k == "mode") how = m.raw;
            if (!is_field(k, "allowedFunctionNames")) return;
            each_element(m.raw, [&](const json_value& name) { c.choice.allowed.push_back(name.raw); });
        });
    });
    if (says(how, "AUTO") || says(how, "VALIDATED")) c.choice.how = mode::automatic;
    if (says(how, "NONE")) c.choice.how = mode::none;
    if (says(how, "ANY")) c.choice.how = mode::required;
    if (c.choice.how == mode::required && c.choice.allowed.size() == 1) {
        c.choice.how = mode::named;
        c.choice.name = c.choice.allowed.front();
        c.choice.allowed.clear();
    }
    if (c.choice.how == mode::unset) c.choice.allowed.clear();
    return {};
}

result<void> read_thinking(const json_value& v, conversation& c) {
    reasoning_options& r = c.reasoning;
    r.how = reasoning_options::mode::on;
    each_member(v.raw, [&](std::string_view key, const json_value& m) {
        if (is_field(key, "includeThoughts")) r.show = m.boolean();
        if (is_field(key, "thinkingBudget")) r.budget = m.integer();
        if (is_field(key, "thinkingLevel") && m.type == json_type::string) {
            std::string level = decode(m.raw);
            std::transform(level.begin(), level.end(), level.begin(),
                           [](char ch) { return ch >= 'A' && ch <= 'Z' ? static_cast<char>(ch | 0x20) : ch; });
            if (level != "thinking_level_unspecified") r.effort = c.arena.keep(std::move(level));
        }
    });
    if (r.budget == 0) r.how = reasoning_options::mode::off;
    return {};
}

json lower_case_list(json list, text_arena& arena) {
    std::string text(list);
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char ch) { return ch >= 'A' && ch <= 'Z' ? static_cast<char>(ch | 0x20) : ch; });
    return arena.keep(std::move(text));
}

struct number_field {
    std::string_view name;
    json sampling_options::* field;
};
constexpr number_field numbers[] = {
    {"temperature", &sampling_options::temperature},
    {"topP", &sampling_options::top_p},
    {"topK", &sampling_options::top_k},
    {"candidateCount", &sampling_options::candidates},
    {"seed", &sampling_options::seed},
    {"presencePenalty", &sampling_options::presence_penalty},
    {"frequencyPenalty", &sampling_options::frequency_penalty},
    {"logprobs", &sampling_options::top_logprobs},
};

result<bool> read_number(std::string_view key, const json_value& v, conversation& c) {
    for (const number_field& n : numbers) {
        if (!is_field(key, n.name)) continue;
        if (v.type != json_type::number) return wrong_type("generationConfig." + std::string(n.name), "a number");
        c.sampling.*n.field = v.raw;
        return true;
    }
    return false;
}

result<void> read_stops(const json_value& v, conversation& c) {
    result<void> read;
    if (v.type != json_type::array) return wrong_type("generationConfig.stopSequences", "an array of strings");
    each_element(v.raw, [&](const json_value& s) {
        if (s.type != json_type::string) read = wrong_type("generationConfig.stopSequences", "an array of strings");
        c.sampling.stop.push_back(s.raw);
    });
    return read;
}

result<void> read_generation(const json_value& v, conversation& c) {
    const auto o = json_object::inside(v);
    if (!o) return wrong_type("generationConfig", "an object");
    json mime, schema;
    for (const json_member& m : o->members()) {
        if (m.value.type == json_type::null) continue;
        const auto number = read_number(m.key, m.value, c);
        if (!number) return number.error();
        if (*number) continue;
        result<void> read;
        if (is_field(m.key, "maxOutputTokens")) {
            c.sampling.tokens_max = m.value.integer();
            if (!c.sampling.tokens_max) return wrong_type("generationConfig.maxOutputTokens", "an integer");
        } else if (is_field(m.key, "stopSequences")) {
            read = read_stops(m.value, c);
        } else if (is_field(m.key, "responseLogprobs")) {
            c.sampling.logprobs = m.value.raw;
        } else if (is_field(m.key, "responseMimeType")) {
            mime = m.value.raw;
        } else if (is_field(m.key, "responseSchema")) {
            schema = plain_schema(m.value.raw, c.arena);
        } else if (is_field(m.key, "responseJsonSchema") || m.key == "_responseJsonSchema") {
            schema = m.value.raw;
        } else if (is_field(m.key, "responseModalities")) {
            c.modalities = lower_case_list(m.value.raw, c.arena);
        } else if (is_field(m.key, "thinkingConfig")) {
            read = read_thinking(m.value, c);
        } else {
            c.extras.push_back({c.arena.keep("generationConfig." + std::string(m.key)), m.value.raw});
        }
        if (!read) return read;
    }
    if (says(mime, "text/plain")) c.format.what = response_format::kind::text;
    if (says(mime, "application/json"))
        c.format.what = schema.empty() ? response_format::kind::json_object : response_format::kind::json_schema;
    if (says(mime, "text/x.enum")) c.extras.push_back({"generationConfig.responseMimeType", mime});
    if (!schema.empty()) c.format.what = response_format::kind::json_schema;
    c.format.schema = schema;
    return {};
}

}  // namespace

result<void> read_request(const json_object& body, conversation& out) {
    out.dialect = dialect_name;
    std::optional<json_value> system;
    bool contents = false;
    for (const json_member& m : body.members()) {
        if (m.value.type == json_type::null) continue;
        result<void> read;
        if (m.key == "contents") {
            contents = true;
            read = read_contents(m.value, out);
        } else if (is_field(m.key, "systemInstruction")) {
            system = m.value;
        } else if (m.key == "tools") {
            read = read_tools(m.value, out);
        } else if (is_field(m.key, "toolConfig")) {
            read = read_tool_config(m.value, out);
        } else if (is_field(m.key, "generationConfig")) {
            read = read_generation(m.value, out);
        } else if (is_field(m.key, "safetySettings")) {
            out.safety_settings = m.value.raw;
        } else if (m.key != "model") {
            out.extras.push_back({m.key, m.value.raw});
        }
        if (!read) return read;
    }
    if (!contents) return error{error_kind::bad_request, "The request has no `contents`.", "contents"};
    return system ? read_system(*system, out) : result<void>{};
}

}  // namespace sluice::chat::gemini
