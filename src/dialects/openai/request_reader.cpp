#include "dialects/openai/message_reader.hpp"
#include "dialects/openai/openai.hpp"
#include "dialects/values.hpp"

#include <algorithm>
#include <unordered_set>

namespace sluice::chat::openai {
namespace {

using setter = result<void> (*)(const json_value& v, conversation& c);

result<void> read_messages(const json_value& v, conversation& c) {
    if (v.type != json_type::array) return wrong_type("messages", "an array");
    result<void> read;
    std::size_t index = 0;
    each_element(v.raw, [&](const json_value& m) {
        if (!read) return;
        read = index < list_max ? read_message(m, index, c)
                                : error{error_kind::bad_request, "`messages` has more than 65536 entries.", "messages"};
        ++index;
    });
    return read;
}

result<void> read_stop(const json_value& v, conversation& c) {
    if (v.type == json_type::string) {
        c.sampling.stop.push_back(v.raw);
        return {};
    }
    if (v.type != json_type::array) return wrong_type("stop", "a string or an array of strings");
    result<void> read;
    each_element(v.raw, [&](const json_value& s) {
        if (s.type == json_type::string) {
            c.sampling.stop.push_back(s.raw);
        } else {
            read = wrong_type("stop", "a string or an array of strings");
        }
    });
    return read;
}

result<void> read_max_tokens(const json_value& v, conversation& c) {
    const auto n = v.integer();
    if (!n || *n < 0) return wrong_type({}, "an integer that is not negative");
    c.sampling.tokens_max = std::max(c.sampling.tokens_max.value_or(0), *n);
    return {};
}

result<void> read_schema(const json_value& v, response_format& out) {
    const std::string at = "response_format.json_schema";
    const auto o = json_object::inside(v);
    if (!o) return v.type == json_type::object ? o.error() : wrong_type(at, "an object");
    struct known {
        std::string_view key;
        json_type type;
        std::string_view wanted;
        json response_format::* field;
    };
    using enum json_type;
    static constexpr known fields[] = {{"schema", object, "an object", &response_format::schema},
                                       {"name", string, "a string", &response_format::name},
                                       {"description", string, "a string", &response_format::description},
                                       {"strict", boolean, "a boolean", &response_format::strict}};
    for (const known& f : fields) {
        const auto value = o->find(f.key);
        if (!value || value->type == null) continue;
        if (value->type != f.type) return wrong_type(at + "." + std::string(f.key), f.wanted);
        out.*f.field = value->raw;
    }
    return {};
}

result<void> read_format(const json_value& v, conversation& c) {
    const auto o = json_object::inside(v);
    if (!o) return v.type == json_type::object ? o.error() : wrong_type("response_format", "an object");
    const auto type = o->find("type");
    const json name = type ? type->raw : json{};
    if (says(name, "text")) {
        c.format.what = response_format::kind::text;
    } else if (says(name, "json_object")) {
        c.format.what = response_format::kind::json_object;
    } else if (says(name, "json_schema")) {
        c.format.what = response_format::kind::json_schema;
        const auto inner = o->find("json_schema");
        return read_schema(inner ? *inner : json_value{}, c.format);
    } else {
        return error{error_kind::bad_request, "`response_format.type` must be text, json_object or json_schema.",
                     "response_format.type"};
    }
    return {};
}

result<void> read_effort(const json_value& v, conversation& c) {
    if (v.type != json_type::string) return wrong_type("reasoning_effort", "a string");
    c.reasoning.effort = decode(v.raw, c.arena);
    c.reasoning.how = c.reasoning.effort == "none" ? reasoning_options::mode::off : reasoning_options::mode::on;
    return {};
}

// Anthropic's form, which Anthropic's own OpenAI endpoint and others take: {"type":"enabled","budget_tokens":2048}.
result<void> read_thinking(const json_value& v, conversation& c) {
    const auto o = json_object::inside(v);
    if (!o) return v.type == json_type::object ? o.error() : wrong_type("thinking", "an object");
    const auto type = o->find("type");
    if (!type || type->type != json_type::string) return wrong_type("thinking.type", "a string");
    c.reasoning.how = says(type->raw, "disabled") ? reasoning_options::mode::off : reasoning_options::mode::on;
    const auto budget = o->find("budget_tokens");
    if (!budget || budget->type == json_type::null) return {};
    c.reasoning.budget = budget->integer();
    return c.reasoning.budget ? result<void>{} : wrong_type("thinking.budget_tokens", "an integer");
}

// OpenRouter's form: {"effort":"high","max_tokens":2000,"enabled":true,"exclude":false}.
result<void> read_reasoning(const json_value& v, conversation& c) {
    const auto o = json_object::inside(v);
    if (!o) return v.type == json_type::object ? o.error() : wrong_type("reasoning", "an object");
    c.reasoning.how = reasoning_options::mode::on;
    for (const json_member& m : o->members()) {
        if (m.value.type == json_type::null) continue;
        if (m.key == "effort") {
            if (m.value.type != json_type::string) return wrong_type("reasoning.effort", "a string");
            c.reasoning.effort = decode(m.value.raw, c.arena);
        } else if (m.key == "max_tokens") {
            c.reasoning.budget = m.value.integer();
            if (!c.reasoning.budget) return wrong_type("reasoning.max_tokens", "an integer");
        } else if (m.key == "exclude" || m.key == "enabled") {
            const auto flag = m.value.boolean();
            if (!flag) return wrong_type("reasoning." + std::string(m.key), "a boolean");
            if (m.key == "exclude") c.reasoning.show = !*flag;
            if (m.key == "enabled" && !*flag) c.reasoning.how = reasoning_options::mode::off;
        }
    }
    if (c.reasoning.effort == "none") c.reasoning.how = reasoning_options::mode::off;
    return {};
}

result<void> read_stream_options(const json_value& v, conversation& c) {
    const auto o = json_object::inside(v);
    if (!o) return v.type == json_type::object ? o.error() : wrong_type("stream_options", "an object");
    const auto wanted = o->find("include_usage");
    if (!wanted || wanted->type == json_type::null) return {};
    if (!wanted->boolean()) return wrong_type("stream_options.include_usage", "a boolean");
    c.stream_usage = *wanted->boolean();
    return {};
}

result<void> refuse_functions(const json_value&, conversation&) {
    return error{error_kind::bad_request,
                 "`functions` and `function_call` are the old form of tools, which is not translated: use `tools` and "
                 "`tool_choice`.",
                 "functions"};
}

// A field that is carried as it is.
template <json conversation::* Field, json_type Type>
result<void> take(const json_value& v, conversation& c) {
    if (v.type != Type)
        return wrong_type({}, Type == json_type::string  ? "a string"
                              : Type == json_type::array ? "an array"
                                                         : "an object");
    c.*Field = v.raw;
    return {};
}
template <json sampling_options::* Field, json_type Type>
result<void> sample(const json_value& v, conversation& c) {
    if (v.type != Type)
        return wrong_type({}, Type == json_type::number    ? "a number"
                              : Type == json_type::boolean ? "a boolean"
                                                           : "an object");
    c.sampling.*Field = v.raw;
    return {};
}

result<void> read_stream(const json_value& v, conversation& c) {
    const auto b = v.boolean();
    if (!b) return wrong_type("stream", "a boolean");
    c.stream = *b;
    return {};
}

result<void> read_parallel(const json_value& v, conversation& c) {
    c.choice.parallel = v.boolean();
    return c.choice.parallel ? result<void>{} : wrong_type("parallel_tool_calls", "a boolean");
}

struct field {
    std::string_view name;
    setter set;
};

using enum json_type;
constexpr field fields[] = {
    {"model", take<&conversation::model, string>},
    {"messages", read_messages},
    {"stream", read_stream},
    {"stream_options", read_stream_options},
    {"tools", read_tools},
    {"tool_choice", read_tool_choice},
    {"parallel_tool_calls", read_parallel},
    {"max_tokens", read_max_tokens},
    {"max_completion_tokens", read_max_tokens},
    {"temperature", sample<&sampling_options::temperature, number>},
    {"top_p", sample<&sampling_options::top_p, number>},
    {"top_k", sample<&sampling_options::top_k, number>},
    {"min_p", sample<&sampling_options::min_p, number>},
    {"presence_penalty", sample<&sampling_options::presence_penalty, number>},
    {"frequency_penalty", sample<&sampling_options::frequency_penalty, number>},
    {"repetition_penalty", sample<&sampling_options::repetition_penalty, number>},
    {"seed", sample<&sampling_options::seed, number>},
    {"logprobs", sample<&sampling_options::logprobs, boolean>},
    {"top_logprobs", sample<&sampling_options::top_logprobs, number>},
    {"logit_bias", sample<&sampling_options::logit_bias, object>},
    {"n", sample<&sampling_options::candidates, number>},
    {"stop", read_stop},
    {"response_format", read_format},
    {"reasoning_effort", read_effort},
    {"thinking", read_thinking},
    {"reasoning", read_reasoning},
    {"user", take<&conversation::user, string>},
    {"metadata", take<&conversation::metadata, object>},
    {"service_tier", take<&conversation::service_tier, string>},
    {"prompt_cache_key", take<&conversation::prompt_cache_key, string>},
    {"safety_settings", take<&conversation::safety_settings, array>},
    {"verbosity", take<&conversation::verbosity, string>},
    {"modalities", take<&conversation::modalities, array>},
    {"audio", take<&conversation::audio, object>},
    {"cache_control", take<&conversation::cache_control, object>},
    {"functions", refuse_functions},
    {"function_call", refuse_functions},
};

// A result says whose it is by the id alone: what kind of call that was stands with the call.
void mark_custom_results(conversation& c) {
    std::unordered_set<json> custom;
    for (message& m : c.messages) {
        for (part& p : m.content) {
            const auto* call = std::get_if<tool_call>(&p.value);
            if (call != nullptr && call->what == tool_call::kind::custom) custom.insert(call->id);
            auto* const r = std::get_if<tool_result>(&p.value);
            if (r != nullptr && custom.contains(r->call_id)) r->what = tool_call::kind::custom;
        }
    }
}

}  // namespace

result<void> read_chat_request(const json_object& body, conversation& out) {
    out.dialect = chat_name;
    for (const json_member& m : body.members()) {
        if (m.value.type == json_type::null) continue;  // as if it were not there, everywhere in this API
        const auto* f =
            std::find_if(std::begin(fields), std::end(fields), [&](const field& x) { return x.name == m.key; });
        if (f == std::end(fields)) {
            out.extras.push_back({m.key, m.value.raw});
            continue;
        }
        auto read = f->set(m.value, out);
        if (!read) {
            error e = read.error();
            if (e.param.empty()) e = error{e.kind, "`" + std::string(f->name) + "` " + e.message, std::string(f->name)};
            return e;
        }
    }
    if (!body.find("messages")) return error{error_kind::bad_request, "The request has no `messages`.", "messages"};
    mark_custom_results(out);
    return {};
}

}  // namespace sluice::chat::openai
