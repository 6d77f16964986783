#include "dialects/anthropic/options.hpp"
#include "dialects/values.hpp"

namespace sluice::chat::anthropic {
namespace {

// Anthropic wants a schema that says that it is one of an object.
void write_schema(json_output& o, json schema) {
    if (schema.empty()) {
        o.w.raw(R"({"type":"object","properties":{}})");
        return;
    }
    bool typed = false;
    bool empty = true;
    each_member(schema, [&](std::string_view key, const json_value&) {
        typed = typed || key == "type";
        empty = false;
    });
    if (typed || type_of(schema) != json_type::object) {
        o.w.raw(schema);
        return;
    }
    o.w.raw(empty ? R"({"type":"object")" : R"({"type":"object",)");
    o.out.append(schema.substr(1));
}

}  // namespace

void request_options::write_tokens_max(json_output& o) const {
    o.key("max_tokens").w.integer(thinking_.tokens_max);
}

void request_options::write(json_output& o) const {
    write_tools(o);
    write_tool_choice(o);
    write_thinking(o);
    write_output_config(o);
    write_sampling(o);
    write_account(o);
}

void request_options::write_tools(json_output& o) const {
    if (tools_.empty()) return;
    o.key("tools").w.begin_array();
    for (const tool* t : tools_) write_tool(o, *t);
    o.w.end_array();
}

void request_options::write_tool(json_output& o, const tool& t) const {
    if (t.what == tool::kind::native) {
        o.w.raw(t.definition);
        return;
    }
    o.w.begin_object();
    o.member("name", t.name);
    if (!is_null(t.description)) o.member("description", t.description);
    o.key("input_schema");
    write_schema(o, t.parameters);
    const bool strict = v_.strict_tools && (native_ || (traits_.strict_tools && t.strict == "true"));
    if (strict) o.member("strict", t.strict);
    o.member("cache_control", t.cache_control);
    if (native_) o.extras(t.extras);
    o.w.end_object();
}

void request_options::write_tool_choice(json_output& o) const {
    using mode = tool_choice::mode;
    if (tools_.empty()) return;
    const bool alone = c_.choice.parallel && !*c_.choice.parallel;
    if (choice_ == mode::unset && !alone) return;
    o.key("tool_choice").w.begin_object();
    o.key("type");
    switch (choice_) {
        case mode::unset:
        case mode::automatic:
            o.w.raw("\"auto\"");
            break;
        case mode::none:
            o.w.raw("\"none\"");
            break;
        case mode::required:
            o.w.raw("\"any\"");
            break;
        case mode::named:
            o.w.raw("\"tool\"");
            o.member("name", c_.choice.name);
            break;
    }
    if (c_.choice.parallel && choice_ != mode::none)
        o.member("disable_parallel_tool_use", *c_.choice.parallel ? "false" : "true");
    if (native_) o.extras(c_.extras, tool_choice_prefix);
    o.w.end_object();
}

void request_options::write_thinking(json_output& o) const {
    using kind = thinking_plan::kind;
    if (thinking_.what == kind::unsaid) return;
    o.key("thinking").w.begin_object();
    o.key("type");
    switch (thinking_.what) {
        case kind::adaptive:
            o.w.raw("\"adaptive\"");
            break;
        case kind::enabled:
            o.w.raw("\"enabled\"");
            o.key("budget_tokens").w.integer(thinking_.budget);
            break;
        case kind::between_tools:
            o.w.raw("\"between_tools\"");
            break;
        default:
            o.w.raw("\"disabled\"");
            break;
    }
    const bool on = thinking_.what == kind::adaptive || thinking_.what == kind::enabled;
    if (on && !thinking_.display.empty()) o.key("display").w.string(thinking_.display);
    if (on && native_) o.extras(c_.extras, thinking_prefix);
    o.w.end_object();
}

void request_options::write_output_config(json_output& o) const {
    const bool format = c_.format.what == response_format::kind::json_schema && !c_.format.schema.empty();
    bool more = false;
    for (const extra_field& f : c_.extras) more = more || (native_ && f.key.starts_with(output_config_prefix));
    if (thinking_.effort.empty() && !format && !more) return;
    o.key("output_config").w.begin_object();
    if (!thinking_.effort.empty()) o.key("effort").w.string(thinking_.effort);
    if (format) {
        o.key("format").w.begin_object();
        o.key("type").w.raw("\"json_schema\"");
        o.key("schema");
        o.w.raw(c_.format.schema);
        o.w.end_object();
    }
    if (native_) o.extras(c_.extras, output_config_prefix);
    o.w.end_object();
}

void request_options::write_sampling(json_output& o) const {
    o.member("temperature", temperature_);
    o.member("top_p", top_p_);
    o.member("top_k", top_k_);
    if (stop_.empty()) return;
    o.key("stop_sequences").w.begin_array();
    for (const json stop : stop_) o.w.raw(stop);
    o.w.end_array();
}

void request_options::write_account(json_output& o) const {
    if (native_ && !c_.metadata.empty()) {
        o.member("metadata", c_.metadata);
    } else if (!c_.user.empty() && !is_null(c_.user)) {
        o.key("metadata").w.begin_object();
        o.member("user_id", c_.user);
        o.w.end_object();
    }
    o.member("service_tier", service_tier_);
    if (v_.account_options) o.member("cache_control", c_.cache_control);
    if (native_) o.extras(c_.extras);
}

}  // namespace sluice::chat::anthropic
