#include "dialects/openai/message_reader.hpp"
#include "dialects/openai/openai.hpp"
#include "dialects/values.hpp"

#include <algorithm>

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
    if (!n || *n < 0) return wrong_type("max_tokens", "a positive integer");
    c.sampling.tokens_max = std::max(c.sampling.tokens_max.value_or(0), *n);
    return {};
}

result<void> read_format(const json_value& v, conversation& c) {
    const auto o = json_object::inside(v);
    if (!o) return wrong_type("response_format", "an object");
    const auto type = o->find("type");
    const json name = type ? type->raw : json{};
    if (says(name, "text")) {
        c.format.what = response_format::kind::text;
    } else if (says(name, "json_object")) {
        c.format.what = response_format::kind::json_object;
    } else if (says(name, "json_schema")) {
        c.format.what = response_format::kind::json_schema;
        const auto inner = o->find("json_schema");
        const auto schema = inner ? json_object::inside(*inner) : result<json_object>(error{});
        if (!schema) return wrong_type("response_format.json_schema", "an object");
        for (const json_member& m : schema->members()) {
            if (m.value.type == json_type::null) continue;
            if (m.key == "schema") c.format.schema = m.value.raw;
            if (m.key == "name") c.format.name = m.value.raw;
            if (m.key == "description") c.format.description = m.value.raw;
            if (m.key == "strict") c.format.strict = m.value.raw;
        }
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
    if (v.type != json_type::object) return wrong_type("thinking", "an object");
    each_member(v.raw, [&](std::string_view key, const json_value& m) {
        if (key == "type")
            c.reasoning.how = says(m.raw, "disabled") ? reasoning_options::mode::off : reasoning_options::mode::on;
        if (key == "budget_tokens") c.reasoning.budget = m.integer();
    });
    return {};
}

// OpenRouter's form: {"effort":"high","max_tokens":2000,"enabled":true,"exclude":false}.
result<void> read_reasoning(const json_value& v, conversation& c) {
    if (v.type != json_type::object) return wrong_type("reasoning", "an object");
    c.reasoning.how = reasoning_options::mode::on;
    each_member(v.raw, [&](std::string_view key, const json_value& m) {
        if (key == "effort" && m.type == json_type::string) c.reasoning.effort = decode(m.raw, c.arena);
        if (key == "max_tokens") c.reasoning.budget = m.integer();
        if (key == "exclude") c.reasoning.show = !m.boolean().value_or(false);
        if (key == "enabled" && m.boolean() == false) c.reasoning.how = reasoning_options::mode::off;
    });
    if (c.reasoning.effort == "none") c.reasoning.how = reasoning_options::mode::off;
    return {};
}

result<void> read_stream_options(const json_value& v, conversation& c) {
    if (v.type != json_type::object) return wrong_type("stream_options", "an object");
    each_member(v.raw, [&](std::string_view key, const json_value& m) {
        if (key == "include_usage") c.stream_usage = m.boolean().value_or(false);
    });
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
    return {};
}

}  // namespace sluice::chat::openai
