#include "mcp/builtin/builtin_source.hpp"

#include "http/json_writer.hpp"
#include "mcp/protocol/mirrored_arguments.hpp"
#include "mcp/serve/uri_template.hpp"

#include <algorithm>

namespace sluice::mcp {

using rest::value;

namespace {

void read_shown(config_reader& r, shown_config& c) {
    r.field("title", c.title, "Its name as people read it.");
    r.field("description", c.description, "What it does.");
    r.json("annotations", c.annotations, "Hints for clients.");
    r.json("icons", c.icons, "Its icons.");
    r.json("meta", c.meta, "Its _meta.");
}

void write_shown(http::json_writer& w, const shown_config& c) {
    if (!c.title.empty()) w.key("title").string(c.title);
    if (!c.description.empty()) w.key("description").string(c.description);
    if (!c.annotations.empty()) w.key("annotations").raw(c.annotations);
    if (!c.icons.empty()) w.key("icons").raw(c.icons);
    if (!c.meta.empty()) w.key("_meta").raw(c.meta);
}

feature feature_of(const builtin_tool& t) {
    feature f{t.name, {}, {}};
    http::json_writer w(f.json);
    w.begin_object().key("name").string(t.name);
    write_shown(w, t.shown);
    w.key("inputSchema").raw(t.input_schema);
    if (!t.output_schema.empty()) w.key("outputSchema").raw(t.output_schema);
    w.end_object();
    if (auto mirrored = mirrored_arguments(t.input_schema)) f.mirrored = std::move(*mirrored);
    return f;
}

feature feature_of(const builtin_prompt& p) {
    feature f{p.name, {}, {}};
    http::json_writer w(f.json);
    w.begin_object().key("name").string(p.name);
    write_shown(w, p.shown);
    if (!p.arguments.empty()) w.key("arguments").raw(p.arguments);
    w.end_object();
    return f;
}

feature feature_of(const builtin_resource& r, bool is_template) {
    feature f{r.uri, {}, {}};
    http::json_writer w(f.json);
    w.begin_object().key(is_template ? "uriTemplate" : "uri").string(r.uri).key("name").string(r.name);
    write_shown(w, r.shown);
    if (!r.mime_type.empty()) w.key("mimeType").string(r.mime_type);
    w.end_object();
    return f;
}

bool is_template(const std::string& uri) {
    return uri.find('{') != std::string::npos;
}

}  // namespace

void read(config_reader& r, builtin_tool& c) {
    r.field("name", c.name, "What clients call it: letters, digits, _ - and dots.", required);
    read_shown(r, c.shown);
    r.json("input_schema", c.input_schema, "JSON Schema of its arguments.");
    r.json("output_schema", c.output_schema, "JSON Schema of its structured result.");
    if (auto m = mirrored_arguments(c.input_schema); !m) r.problem("input_schema", m.error().message);
    read_script(r, c.does, "CallToolResult: content, structuredContent, isError. Strings are templates.");
}

void read(config_reader& r, builtin_prompt& c) {
    r.field("name", c.name, "What clients call it.", required);
    read_shown(r, c.shown);
    r.json("arguments", c.arguments, "List of {name, description, required}.");
    r.json_map("completions", c.raw_completions, "Values an argument may have, by its name.");
    read_script(r, c.does, "GetPromptResult: messages. Strings are templates.");
}

void read(config_reader& r, builtin_resource& c) {
    r.field("uri", c.uri, "Its URI; with {name} for one segment of it, a template.", required);
    r.field("name", c.name, "Its name.", required);
    r.field("mime_type", c.mime_type, "Media type.");
    read_shown(r, c.shown);
    r.json_map("completions", c.raw_completions, "Values an expression of a template may have, by its name.");
    read_script(r, c.does, "ReadResourceResult: contents. Strings are templates.");
}

void read(config_reader& r, builtin_config& c) {
    r.field("instructions", c.instructions, "What a client should know to use these.");
    r.list("tools", c.tools, "Tools.");
    r.list("prompts", c.prompts, "Prompts.");
    r.list("resources", c.resources, "Resources and templates of resources.");
}

builtin_source::builtin_source(std::string name, const builtin_config& c, services& s)
    : name_(std::move(name)), services_(s) {
    auto set = std::make_shared<feature_set>();
    set->instructions = c.instructions;
    set->subscribes = set->logs = true;
    const auto keep = [&](const std::string& of, const auto& raw) {
        for (const auto& [argument, json] : raw) {
            for (const json_value& v : json_elements({json_type::array, json}))
                completions_[of][argument].push_back(v.string().value_or(std::string(v.raw)));
        }
    };
    for (const builtin_tool& t : c.tools) {
        set->tools.push_back(feature_of(t));
        tools_.emplace(t.name, script(t.does));
    }
    for (const builtin_prompt& p : c.prompts) {
        set->prompts.push_back(feature_of(p));
        prompts_.emplace(p.name, script(p.does));
        keep(p.name, p.raw_completions);
    }
    for (const builtin_resource& r : c.resources) {
        const bool any = is_template(r.uri);
        (any ? set->templates : set->resources).push_back(feature_of(r, any));
        resources_.push_back({r, script(r.does)});
        keep(r.uri, r.raw_completions);
    }
    set->completes = !set->prompts.empty() || !set->templates.empty();
    features_ = std::move(set);
}

awaitable<outcome> builtin_source::perform(const call& c, call_channel& channel) {
    if (c.method == "completion/complete") co_return complete(c);
    const script* does = nullptr;
    value::members data;
    const auto arguments = value::parse(arguments_of(c.params));
    data.emplace_back("args", arguments ? *arguments : value{});
    if (c.method == "resources/read") {
        for (const own_resource& r : resources_) {
            const auto values = match_template(r.config.uri, c.name);
            if (!values) continue;
            does = &r.does;
            data.emplace_back("uri", value::string(std::string(c.name)));
            value::members named;
            for (const auto& [name, text] : *values)
                named.emplace_back(std::string(name), value::string(std::string(text)));
            auto params = value::object(std::move(named));
            if (params) data.emplace_back("params", std::move(*params));
            break;
        }
    } else {
        const auto& all = c.method == "tools/call" ? tools_ : prompts_;
        if (const auto found = all.find(c.name); found != all.end()) does = &found->second;
    }
    if (does == nullptr) co_return rpc_error(rpc_code::invalid_params, "There is no such thing here.");
    const outcome o = co_await does->run(c, std::move(data), channel, services_);
    co_return o;
}

outcome builtin_source::complete(const call& c) const {
    const auto params = members_of(c.params);
    const auto argument = params ? params->find("argument") : std::nullopt;
    if (!argument || argument->type != json_type::object)
        return rpc_error(rpc_code::invalid_params, "`argument` is expected to be an object.");
    const auto fields = json_object::inside(*argument);
    const auto name = fields ? fields->find("name") : std::nullopt,
               typed = fields ? fields->find("value") : std::nullopt;
    if (!name || !typed || !name->string() || !typed->string())
        return rpc_error(rpc_code::invalid_params, "`argument` is expected to have a name and a value.");
    constexpr std::size_t values_max = 100;
    std::vector<std::string_view> fitting;
    if (const auto of = completions_.find(c.name); of != completions_.end()) {
        if (const auto values = of->second.find(*name->string()); values != of->second.end()) {
            for (const std::string& v : values->second)
                if (v.starts_with(*typed->string())) fitting.push_back(v);
        }
    }
    std::string out;
    http::json_writer w(out);
    w.begin_object().key("completion").begin_object().key("values").begin_array();
    for (std::size_t i = 0; i < std::min(fitting.size(), values_max); ++i) w.string(fitting[i]);
    w.end_array().key("total").integer(static_cast<std::int64_t>(fitting.size()));
    w.key("hasMore").boolean(fitting.size() > values_max).end_object().end_object();
    return completed{std::move(out)};
}

}  // namespace sluice::mcp
