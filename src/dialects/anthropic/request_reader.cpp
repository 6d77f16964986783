#include "dialects/anthropic/request_reader.hpp"

#include "dialects/anthropic/anthropic.hpp"
#include "dialects/anthropic/terms.hpp"
#include "dialects/values.hpp"

namespace sluice::chat::anthropic {
namespace {

void read_system(request_check& check, fields& f, conversation& out) {
    const auto system = f.any("system");
    if (!system) return;
    const place where = f.where().in("system");
    message m;
    m.who = role::system;
    m.content = read_content(check, *system, where, role::system, out.arena);
    if (!m.content.empty()) out.messages.push_back(std::move(m));
}

role read_role(request_check& check, fields& f) {
    const json text = f.string("role", need::required);
    if (says(text, "user")) return role::user;
    if (says(text, "assistant")) return role::assistant;
    if (says(text, "system")) return role::system;
    const place at = f.where().in("role");
    if (check.ok()) check.refuse(at, "must be user, assistant or system");
    return role::user;
}

void read_messages(request_check& check, fields& f, conversation& out) {
    const place where = f.where().in("messages");
    const auto all = elements(check, f.array("messages", need::required), where);
    if (all.empty()) check.refuse(where, "must hold at least one message");
    out.messages.reserve(out.messages.size() + all.size());
    for (std::size_t i = 0; i < all.size() && check.ok(); ++i) {
        const place at = where.at(i);
        fields m(check, all[i], at);
        message& read = out.messages.emplace_back();
        read.who = read_role(check, m);
        const place content_at = at.in("content");
        const auto content = m.any("content");
        if (content) {
            read.content = read_content(check, *content, content_at, read.who, out.arena);
        } else {
            check.refuse(content_at, "is required");
        }
        m.rest(read.extras);
    }
}

tool read_tool(request_check& check, const json_value& value, const place& where) {
    tool t;
    fields f(check, value, where);
    const json type = f.string("type");
    if (!type.empty() && !says(type, "custom")) {
        t.what = tool::kind::native;
        t.name = f.string("name");
        t.definition = value.raw;
        t.dialect = dialect_name;
        return t;
    }
    t.name = f.string("name", need::required);
    t.description = f.string("description");
    t.parameters = f.object("input_schema", need::required);
    t.strict = f.boolean("strict");
    t.cache_control = f.object("cache_control");
    f.rest(t.extras);
    return t;
}

void read_tools(request_check& check, fields& f, conversation& out) {
    const place where = f.where().in("tools");
    const auto all = elements(check, f.array("tools"), where);
    out.tools.reserve(all.size());
    for (std::size_t i = 0; i < all.size() && check.ok(); ++i) {
        const place at = where.at(i);
        out.tools.push_back(read_tool(check, all[i], at));
    }
}

void read_tool_choice(request_check& check, fields& f, conversation& out) {
    const json object = f.object("tool_choice");
    if (object.empty()) return;
    const place where = f.where().in("tool_choice");
    fields choice(check, value_of(object), where);
    const json type = choice.string("type", need::required);
    const place type_at = where.in("type");
    if (says(type, "auto")) {
        out.choice.how = tool_choice::mode::automatic;
    } else if (says(type, "any")) {
        out.choice.how = tool_choice::mode::required;
    } else if (says(type, "none")) {
        out.choice.how = tool_choice::mode::none;
    } else if (says(type, "tool")) {
        out.choice.how = tool_choice::mode::named;
        out.choice.name = choice.string("name", need::required);
    } else {
        check.refuse(type_at, "must be auto, any, tool or none");
    }
    const json alone = choice.boolean("disable_parallel_tool_use");
    if (!alone.empty()) out.choice.parallel = alone == "false";
    choice.rest(out.extras, tool_choice_prefix, out.arena);
}

void read_thinking_options(request_check& check, fields& f, conversation& out) {
    const json object = f.object("thinking");
    if (object.empty()) return;
    const place where = f.where().in("thinking");
    fields thinking(check, value_of(object), where);
    const json type = thinking.string("type", need::required);
    const place type_at = where.in("type");
    reasoning_options& r = out.reasoning;
    if (says(type, "enabled")) {
        r.how = reasoning_options::mode::on;
        r.budget = thinking.integer("budget_tokens");
        const place budget_at = where.in("budget_tokens");
        if (check.ok() && !r.budget) check.refuse(budget_at, "is required");
        if (r.budget && *r.budget < 0) check.refuse(budget_at, "must not be negative");
    } else if (says(type, "adaptive")) {
        r.how = reasoning_options::mode::on;
        r.budget = -1;
    } else if (says(type, "disabled") || says(type, "between_tools")) {
        r.how = reasoning_options::mode::off;
    } else {
        check.refuse(type_at, "must be enabled, adaptive, disabled or between_tools");
    }
    const json display = thinking.string("display");
    if (says(display, "summarized")) r.show = true;
    if (says(display, "omitted")) r.show = false;
    if (!display.empty() && !r.show) out.extras.push_back({"thinking.display", display});
    thinking.rest(out.extras, thinking_prefix, out.arena);
}

void read_format(request_check& check, json object, const place& where, conversation& out) {
    if (object.empty()) return;
    fields format(check, value_of(object), where);
    const json type = format.string("type", need::required);
    const place type_at = where.in("type");
    if (!says(type, "json_schema")) check.refuse(type_at, "must be json_schema");
    out.format.what = response_format::kind::json_schema;
    out.format.schema = format.object("schema", need::required);
}

void read_output_options(request_check& check, fields& f, conversation& out) {
    const place old_format_at = f.where().in("output_format");  // the name of its beta
    read_format(check, f.object("output_format"), old_format_at, out);
    const json object = f.object("output_config");
    if (object.empty()) return;
    const place where = f.where().in("output_config");
    fields config(check, value_of(object), where);
    const place format_at = where.in("format");
    read_format(check, config.object("format"), format_at, out);
    out.reasoning.effort = decode(config.string("effort"), out.arena);
    config.rest(out.extras, output_config_prefix, out.arena);
}

// A conversation that Anthropic's servers keep: the client sends what is new and leaves out what went before. No other
// server has that, so it is refused even where it begins; SDKs know the refusal and send everything from then on.
void refuse_threads(request_check& check, fields& f) {
    const json thread = f.object("thread");
    const place where = f.where().in("thread");
    if (!thread.empty()) check.refuse(where, "is not supported: only Anthropic's own servers keep conversations");
}

void read_metadata(request_check& check, fields& f, conversation& out) {
    const json object = f.object("metadata");
    if (object.empty()) return;
    const place where = f.where().in("metadata");
    fields metadata(check, value_of(object), where);
    out.user = metadata.string("user_id");
    extra_fields others;
    metadata.rest(others);
    if (!others.empty()) out.metadata = object;
}

void read_sampling(request_check& check, fields& f, conversation& out) {
    out.sampling.tokens_max = f.integer("max_tokens");
    const place max_at = f.where().in("max_tokens");
    if (out.sampling.tokens_max && *out.sampling.tokens_max < 0) check.refuse(max_at, "must not be negative");
    out.sampling.temperature = f.number("temperature");
    out.sampling.top_p = f.number("top_p");
    out.sampling.top_k = f.number("top_k");
    const place where = f.where().in("stop_sequences");
    const auto stops = elements(check, f.array("stop_sequences"), where);
    for (std::size_t i = 0; i < stops.size() && check.ok(); ++i) {
        const place at = where.at(i);
        if (stops[i].type != json_type::string) check.refuse(at, "must be a string");
        out.sampling.stop.push_back(stops[i].raw);
    }
}

}  // namespace

result<void> read_messages_request(const json_object& body, const client_call& call, conversation& out) {
    request_check check;
    const place top;
    fields f(check, body, top);
    out.dialect = dialect_name;
    out.model = f.string("model", call.model.empty() ? need::required : need::optional);
    out.cache_control = f.object("cache_control");
    out.service_tier = f.string("service_tier");
    out.stream = f.boolean("stream") == "true" || call.stream;
    refuse_threads(check, f);
    read_sampling(check, f, out);
    read_system(check, f, out);
    read_messages(check, f, out);
    read_tools(check, f, out);
    read_tool_choice(check, f, out);
    read_thinking_options(check, f, out);
    read_output_options(check, f, out);
    read_metadata(check, f, out);
    f.rest(out.extras);
    return check.outcome();
}

result<void> require_max_tokens(const json_object& body) {
    const auto value = body.find("max_tokens");
    if (value && value->integer()) return {};
    return error{error_kind::bad_request, value ? "max_tokens must be an integer." : "max_tokens is required.",
                 "max_tokens"};
}

}  // namespace sluice::chat::anthropic
