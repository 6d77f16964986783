#include "sim/ask.hpp"

#include <algorithm>

namespace sluice::sim {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

refusal invalid(std::string message, std::string param) {
    refusal r;
    r.message = std::move(message);
    r.param = std::move(param);
    return r;
}

refusal missing(const std::string& param) {
    refusal r = invalid("Missing required parameter: '" + param + "'.", param);
    r.code = "missing_required_parameter";
    return r;
}

std::string_view text_of(const element& e, std::string_view key) {
    std::string_view v;
    (void)e[key].get(v);
    return v;
}

bool flag(const element& e, std::string_view key, bool otherwise = false) {
    bool v = otherwise;
    (void)e[key].get(v);
    return v;
}

std::optional<std::uint64_t> number(const element& e, std::string_view key) {
    std::uint64_t v = 0;
    if (e[key].get(v) == simdjson::SUCCESS) return v;
    return std::nullopt;
}

// Content is a string or a list of parts in any API's words; everything with text counts, images are counted.
void read_content(const element& content, ask& a, std::string& text) {
    std::string_view plain;
    if (content.get(plain) == simdjson::SUCCESS) {
        text += plain;
        return;
    }
    array parts;
    if (content.get(parts) != simdjson::SUCCESS) return;
    for (const element part : parts) {
        const auto type = text_of(part, "type");
        if (part.get(plain) == simdjson::SUCCESS) text += plain;
        if (type.find("image") != std::string_view::npos) {
            ++a.images;
            text += "<image>";
        }
        text += text_of(part, "text");
        text += text_of(part, "output");
        if (element inner; type == "tool_result" && part["content"].get(inner) == simdjson::SUCCESS) {
            read_content(inner, a, text);
        }
        if (element input; type == "tool_use" && part["input"].get(input) == simdjson::SUCCESS) {
            text += simdjson::minify(input);
        }
    }
}

// One line of the canonical prompt. The next turn repeats it byte for byte, so prefixes stay equal.
void add_turn(ask& a, std::string_view role, std::string_view text) {
    a.prompt += role;
    a.prompt += '\n';
    a.prompt += text;
    a.prompt += '\n';
    if (role == "user") a.last_user = text;
}

void read_messages(const array& messages, ask& a) {
    std::string text;
    for (const element m : messages) {
        text.clear();
        std::string_view role = text_of(m, "role");
        if (role.empty()) role = text_of(m, "type");  // function_call and its output in Responses
        if (element content; m["content"].get(content) == simdjson::SUCCESS) read_content(content, a, text);
        text += text_of(m, "output");
        text += text_of(m, "arguments");
        if (element calls; m["tool_calls"].get(calls) == simdjson::SUCCESS) text += simdjson::minify(calls);
        add_turn(a, role, text);
    }
}

// {"type":"function","function":{name,parameters}} | {"type":"function",name,parameters} | {name,input_schema}
void read_tools(const element& root, ask& a) {
    array tools;
    if (root["tools"].get(tools) != simdjson::SUCCESS) return;
    for (const element t : tools) {
        element holder = t;
        if (element function; t["function"].get(function) == simdjson::SUCCESS) holder = function;
        tool out{std::string(text_of(holder, "name")), "{}"};
        for (const std::string_view key : {"parameters", "input_schema"}) {
            if (element schema; holder[key].get(schema) == simdjson::SUCCESS) out.schema = simdjson::minify(schema);
        }
        a.prompt += out.name;
        a.prompt += out.schema;
        if (!out.name.empty()) a.tools.push_back(std::move(out));
    }
}

void read_tool_choice(const element& root, ask& a) {
    element choice;
    if (root["tool_choice"].get(choice) != simdjson::SUCCESS) return;
    std::string_view word;
    if (choice.get(word) != simdjson::SUCCESS) word = text_of(choice, "type");
    if (word == "none") a.choice = tool_choice::none;
    if (word == "required" || word == "any") a.choice = tool_choice::required;
    if (word == "function" || word == "tool") {
        a.choice = tool_choice::named;
        element function;
        a.chosen_tool =
            choice["function"].get(function) == simdjson::SUCCESS ? text_of(function, "name") : text_of(choice, "name");
    }
    if (flag(choice, "disable_parallel_tool_use")) a.parallel_calls = false;
}

void read_format(const element& root, ask& a) {
    element format;
    if (root["response_format"].get(format) != simdjson::SUCCESS &&
        root.at_pointer("/text/format").get(format) != simdjson::SUCCESS) {
        return;
    }
    const auto type = text_of(format, "type");
    if (type == "json_object") a.format = reply_format::json_object;
    if (type != "json_schema") return;
    a.format = reply_format::json_schema;
    element schema;
    if (format.at_pointer("/json_schema/schema").get(schema) == simdjson::SUCCESS ||
        format["schema"].get(schema) == simdjson::SUCCESS) {
        a.schema = simdjson::minify(schema);
    }
}

void read_stop(const element& root, ask& a) {
    for (const std::string_view key : {"stop", "stop_sequences"}) {
        element stop;
        if (root[key].get(stop) != simdjson::SUCCESS) continue;
        std::string_view word;
        if (stop.get(word) == simdjson::SUCCESS) a.stop.emplace_back(word);
        array words;
        if (stop.get(words) != simdjson::SUCCESS) continue;
        for (const element w : words) {
            if (w.get(word) == simdjson::SUCCESS && !word.empty()) a.stop.emplace_back(word);
        }
    }
}

std::optional<refusal> read_prompt(const element& root, ask& a) {
    const char* key = a.as == shape::completions ? "prompt" : a.as == shape::responses ? "input" : "messages";
    element content;
    if (root[key].get(content) != simdjson::SUCCESS) {
        return missing(key);
    }
    for (const std::string_view before : {"system", "instructions"}) {
        element system;
        if (root[before].get(system) != simdjson::SUCCESS) continue;
        std::string text;
        read_content(system, a, text);
        if (!text.empty()) add_turn(a, "system", text);
    }
    array messages;
    if (a.as == shape::completions || content.get(messages) != simdjson::SUCCESS) {
        std::string text;
        read_content(content, a, text);
        add_turn(a, "user", text);
    } else {
        if (messages.size() == 0) return invalid(std::string(key) + " must not be empty", key);
        read_messages(messages, a);
    }
    if (a.as != shape::completions) a.prompt += "assistant\n";
    return std::nullopt;
}

void read_limits(const element& root, ask& a) {
    for (const std::string_view key : {"max_tokens", "max_completion_tokens", "max_output_tokens"}) {
        if (const auto v = number(root, key)) a.tokens_max = *v;
    }
    a.seed = number(root, "seed").value_or(0);
    a.n = std::clamp<std::uint64_t>(number(root, "n").value_or(1), 1, 128);
    a.ignore_eos = flag(root, "ignore_eos");
    a.stream = flag(root, "stream");
    a.echo = flag(root, "echo");
    a.logprobs = flag(root, "logprobs") || (a.as == shape::completions && number(root, "logprobs").has_value());
    a.parallel_calls = flag(root, "parallel_tool_calls", true);
    (void)root.at_pointer("/stream_options/include_usage").get(a.include_usage);
}

}  // namespace

std::variant<ask, refusal> read_ask(shape as, const element& root) {
    if (!root.is_object()) return invalid("The body must be a JSON object.", "");
    ask a;
    a.as = as;
    a.model = text_of(root, "model");
    if (a.model.empty()) {
        return refusal{
            .message = "you must provide a model parameter", .code = "missing_required_parameter", .param = "model"};
    }
    read_limits(root, a);
    if (a.as == shape::messages && !a.tokens_max) return missing("max_tokens");
    if (a.tokens_max == 0U) return invalid("max_tokens must be at least 1", "max_tokens");
    read_tools(root, a);
    read_tool_choice(root, a);
    read_format(root, a);
    read_stop(root, a);
    if (auto refused = read_prompt(root, a)) return *refused;
    return a;
}

}  // namespace sluice::sim
