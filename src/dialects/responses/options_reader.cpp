#include "dialects/responses/options_reader.hpp"

#include "dialects/responses/part_reader.hpp"
#include "dialects/responses/responses.hpp"
#include "http/json_writer.hpp"

namespace sluice::chat::responses {
namespace {

// The members of `f` that nobody asked for, as an extra of the request.
void keep_rest(const fields& f, std::string_view key, conversation& c) {
    extra_fields rest;
    f.rest(rest);
    if (rest.empty()) return;
    std::string text;
    http::json_writer w(text);
    w.begin_object();
    for (const extra_field& e : rest) w.key(e.key).raw(e.value);
    w.end_object();
    c.extras.push_back({key, c.arena.keep(std::move(text))});
}

// A grammar in the form that chat completions give it, which is the canonical one.
json canonical_format(checker& check, json format, const place& where, text_arena& arena) {
    if (format.empty()) return {};
    fields f(check, value_of(format), where);
    const std::string_view type = f.word("type", {"text", "grammar"});
    if (type != "grammar") return format;
    const json definition = f.string("definition", need::required);
    const json syntax = f.string("syntax", need::required);
    std::string text;
    http::json_writer w(text);
    w.begin_object().key("type").string("grammar").key("grammar").begin_object();
    w.key("definition").raw(definition).key("syntax").raw(syntax).end_object().end_object();
    return arena.keep(std::move(text));
}

void read_tool(checker& check, const json_value& v, const place& where, text_arena& arena, tool& out) {
    fields f(check, v, where);
    const json type = f.string("type", need::required);
    if (!check.ok()) return;
    const bool custom = says(type, "custom");
    if (!custom && !says(type, "function")) {
        out.what = tool::kind::native;
        out.name = type;
        out.definition = v.raw;
        out.dialect = dialect_name;
        return;
    }
    out.name = f.string("name", need::required);
    out.description = f.string("description");
    if (custom) {
        out.what = tool::kind::custom;
        const place inside = where.in("format");
        out.parameters = canonical_format(check, f.object("format"), inside, arena);
    } else {
        out.parameters = f.object("parameters");
        out.strict = f.boolean("strict");
    }
    out.cache_control = f.object("cache_control");
    f.rest(out.extras);
}

// False: it names a tool that has no name in other dialects.
bool read_named(fields& f, json type, tool_choice& out) {
    if (!says(type, "function") && !says(type, "custom")) return false;
    out.how = tool_choice::mode::named;
    out.name = f.string("name", need::required);
    return true;
}

bool read_allowed(checker& check, fields& f, json type, tool_choice& out) {
    if (!says(type, "allowed_tools")) return false;
    const std::string_view mode = f.word("mode", {"auto", "required"});
    const place where = f.where().in("tools");
    bool all_named = true;
    each_checked(check, f.array("tools"), where, [&](const json_value& v, const place& at) {
        fields entry(check, v, at);
        const json kind = entry.string("type", need::required);
        all_named &= says(kind, "function") || says(kind, "custom");
        if (all_named) out.allowed.push_back(entry.string("name", need::required));
    });
    out.how = mode == "required" ? tool_choice::mode::required : tool_choice::mode::automatic;
    return all_named && !out.allowed.empty();
}

}  // namespace

void read_tools(checker& check, json tools, const place& where, conversation& c) {
    each_checked(check, tools, where, [&](const json_value& v, const place& at) {
        read_tool(check, v, at, c.arena, c.tools.emplace_back());
    });
}

void read_tool_choice(checker& check, const json_value& choice, const place& where, conversation& c) {
    using mode = tool_choice::mode;
    if (choice.type == json_type::string) {
        if (says(choice.raw, "auto")) c.choice.how = mode::automatic;
        if (says(choice.raw, "none")) c.choice.how = mode::none;
        if (says(choice.raw, "required")) c.choice.how = mode::required;
        if (c.choice.how == mode::unset) check.refuse(where, "must be auto, none, required or an object.");
        return;
    }
    fields f(check, choice, where);
    const json type = f.string("type", need::required);
    tool_choice read;
    if (read_named(f, type, read) || read_allowed(check, f, type, read)) {
        c.choice = std::move(read);
    } else {
        c.extras.push_back({"tool_choice", choice.raw});
    }
}

void read_text_options(checker& check, const json_value& text, const place& where, conversation& c) {
    fields f(check, text, where);
    c.verbosity = f.string("verbosity");
    const place inside = where.in("format");
    if (const auto format = f.any("format")) {
        using kind = response_format::kind;
        fields g(check, *format, inside);
        const std::string_view type = g.word("type", {"text", "json_object", "json_schema"});
        if (type.empty()) check.refuse(inside.in("type"), "is missing.");
        c.format.what = type == "text" ? kind::text : type == "json_object" ? kind::json_object : kind::json_schema;
        c.format.name = g.string("name", type == "json_schema" ? need::required : need::optional);
        c.format.schema = g.object("schema");
        c.format.description = g.string("description");
        c.format.strict = g.boolean("strict");
        if (type == "json_schema" && c.format.schema.empty()) check.refuse(inside.in("schema"), "is missing.");
    }
    keep_rest(f, "text", c);
}

void read_reasoning_options(checker& check, const json_value& reasoning, const place& where, conversation& c) {
    using mode = reasoning_options::mode;
    fields f(check, reasoning, where);
    reasoning_options& r = c.reasoning;
    r.effort = f.word("effort", {"none", "minimal", "low", "medium", "high", "xhigh", "max"});
    if (!r.effort.empty()) r.how = r.effort == "none" ? mode::off : mode::on;
    const std::string_view old = f.word("generate_summary", {"auto", "concise", "detailed"});
    r.summary = f.word("summary", {"auto", "concise", "detailed"});
    if (r.summary.empty()) r.summary = old;
    if (!r.summary.empty()) r.show = true;
    keep_rest(f, "reasoning", c);
}

}  // namespace sluice::chat::responses
