#include "dialects/responses/options_writer.hpp"

#include "dialects/responses/responses.hpp"
#include "dialects/values.hpp"

#include <algorithm>

namespace sluice::chat::responses {
namespace {

using http::json_writer;

void member(json_writer& w, std::string_view key, json value) {
    if (!value.empty()) w.key(key).raw(value);
}

// {"type":"grammar","grammar":{...}} is flat here.
void write_format(json format, json_writer& w) {
    json grammar;
    each_member(format, [&](std::string_view key, const json_value& v) {
        if (key == "grammar") grammar = v.raw;
    });
    w.key("format");
    if (grammar.empty()) {
        w.raw(format);
        return;
    }
    w.begin_object().key("type").string("grammar");
    each_member(grammar, [&](std::string_view key, const json_value& v) { w.key(key).raw(v.raw); });
    w.end_object();
}

void write_tool(const tool& t, const std::string& at, writing& x, json_writer& w) {
    const bool custom = t.what == tool::kind::custom;
    w.begin_object().key("type").string(custom ? "custom" : "function").key("name").raw(t.name);
    member(w, "description", t.description);
    if (custom) {
        if (!t.parameters.empty()) write_format(t.parameters, w);
    } else {
        // Elsewhere no schema means no arguments, and not strict is what is meant by silence; here strict is.
        if (!t.parameters.empty() || !x.own)
            w.key("parameters").raw(t.parameters.empty() ? json{R"({"type":"object","properties":{}})"} : t.parameters);
        if (!t.strict.empty() || !x.own) w.key("strict").raw(t.strict.empty() ? json{"false"} : t.strict);
    }
    if (!t.cache_control.empty()) x.lost.hint(at + ".cache_control");
    write_extras(t.extras, at + ".", x, w);
    w.end_object();
}

std::string_view type_of_tool(const conversation& c, json name) {
    const auto t = std::find_if(c.tools.begin(), c.tools.end(), [&](const tool& x) { return x.name == name; });
    return t != c.tools.end() && t->what == tool::kind::custom ? "custom" : "function";
}

void write_choice(writing& x, json_writer& w) {
    using mode = tool_choice::mode;
    constexpr std::string_view names[] = {"", "auto", "none", "required"};
    const tool_choice& choice = x.c.choice;
    if (choice.how == mode::unset) return;
    w.key("tool_choice");
    if (choice.how == mode::named) {
        w.begin_object().key("type").string(type_of_tool(x.c, choice.name)).key("name").raw(choice.name).end_object();
    } else if (choice.allowed.empty()) {
        w.string(names[static_cast<std::size_t>(choice.how)]);
    } else {
        w.begin_object().key("type").string("allowed_tools");
        w.key("mode").string(choice.how == mode::required ? "required" : "auto").key("tools").begin_array();
        for (const json name : choice.allowed)
            w.begin_object().key("type").string(type_of_tool(x.c, name)).key("name").raw(name).end_object();
        w.end_array().end_object();
    }
}

bool has_extra(const conversation& c, std::string_view key) {
    return std::any_of(c.extras.begin(), c.extras.end(), [&](const extra_field& f) { return f.key == key; });
}

}  // namespace

result<void> write_tools(writing& x, json_writer& w) {
    const conversation& c = x.c;
    if (!c.tools.empty()) w.key("tools").begin_array();
    for (std::size_t i = 0; i < c.tools.size(); ++i) {
        const tool& t = c.tools[i];
        const std::string at = "tools[" + std::to_string(i) + "]";
        if (t.what != tool::kind::native) {
            write_tool(t, at, x, w);
        } else if (t.dialect == dialect_name) {
            w.raw(t.definition);
        } else if (auto lost = x.lost.feature(at, "a tool that another provider runs itself"); !lost) {
            return lost;
        }
    }
    if (!c.tools.empty()) w.end_array();
    write_choice(x, w);
    if (c.choice.parallel) w.key("parallel_tool_calls").boolean(*c.choice.parallel);
    return {};
}

void write_object_rest(std::string_view key, writing& x, json_writer& w) {
    if (!x.own) return;
    for (const extra_field& f : x.c.extras) {
        if (f.key != key) continue;
        each_member(f.value, [&](std::string_view k, const json_value& v) { w.key(k).raw(v.raw); });
    }
}

void write_text_options(writing& x, json_writer& w) {
    using kind = response_format::kind;
    const response_format& f = x.c.format;
    const bool rest = x.own && has_extra(x.c, "text");
    if (f.what == kind::unset && x.c.verbosity.empty() && !rest) return;
    w.key("text").begin_object();
    if (f.what == kind::text) w.key("format").raw(R"({"type":"text"})");
    // Some ask for JSON without saying more.
    const bool schema = f.what == kind::json_schema && !f.schema.empty();
    if (f.what == kind::json_object || (f.what == kind::json_schema && !schema))
        w.key("format").raw(R"({"type":"json_object"})");
    if (schema) {
        w.key("format").begin_object().key("type").string("json_schema");
        w.key("name").raw(f.name.empty() ? json{R"("answer")"} : f.name);
        member(w, "description", f.description);
        w.key("schema").raw(f.schema);
        member(w, "strict", f.strict);
        w.end_object();
    }
    member(w, "verbosity", x.c.verbosity);
    write_object_rest("text", x, w);
    w.end_object();
}

void write_reasoning_options(writing& x, json_writer& w) {
    using mode = reasoning_options::mode;
    const reasoning_options& r = x.c.reasoning;
    std::string_view effort = r.how == mode::off ? std::string_view{} : r.effort;
    if (r.how == mode::on && effort.empty()) effort = effort_of(r.budget);
    // Thinking as the model sees fit is not what silence means: newer models do not think then.
    if (r.how == mode::on && effort.empty()) effort = "medium";
    // Models that do not reason refuse the field: only who wrote it gets it.
    if (r.how == mode::off && r.effort == "none") effort = "none";
    // What others call their most is not known to all models here.
    if (effort == "max" && !x.c.dialect.starts_with("openai.")) effort = "xhigh";
    const bool summary = r.how != mode::off && (r.show.value_or(false) || !r.summary.empty());
    const bool rest = x.own && has_extra(x.c, "reasoning");
    if (effort.empty() && !summary && !rest) return;
    w.key("reasoning").begin_object();
    if (!effort.empty()) w.key("effort").string(effort);
    if (summary) w.key("summary").string(r.summary.empty() ? "auto" : r.summary);
    write_object_rest("reasoning", x, w);
    w.end_object();
}

}  // namespace sluice::chat::responses
