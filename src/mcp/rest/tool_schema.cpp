#include "mcp/rest/tool_schema.hpp"

#include "http/json_writer.hpp"

namespace sluice::mcp::rest {

namespace {

using kind = value::kind;
constexpr std::size_t schema_bytes_max = 1024 * 1024;

bool is_flag(const value& v, bool wanted) {
    return v.is(kind::boolean) && v.truth() == wanted;
}

// Copies a schema and lifts `required: true` of properties into the list of their parent.
value corrected(const value& schema) {
    if (schema.is(kind::array)) {
        value::list items;
        for (const value& item : schema.items()) items.push_back(corrected(item));
        return value::array(std::move(items)).value();
    }
    if (!schema.is(kind::object)) return schema;
    value::members out;
    value::list required;
    for (const auto& [key, v] : schema.fields()) {
        if (key == "required" && v.is(kind::boolean)) continue;
        if (key != "properties" || !v.is(kind::object)) {
            const bool data = key == "default" || key == "enum" || key == "const" || key == "examples";
            out.emplace_back(key, data ? v : corrected(v));
            continue;
        }
        value::members properties;
        for (const auto& [name, property] : v.fields()) {
            if (is_flag(property.get("required"), true)) required.push_back(value::string(name));
            properties.emplace_back(name, corrected(property));
        }
        out.emplace_back(key, value::object(std::move(properties)).value());
    }
    const value listed = schema.get("required");
    if (!required.empty() && !listed.is(kind::array)) {
        out.emplace_back("required", value::array(std::move(required)).value());
    }
    return value::object(std::move(out)).value();  // as deep as the schema it was made of
}

void write_argument(http::json_writer& w, const argument& a) {
    w.key(a.name).begin_object().key("type").string(name_of(a.type));
    if (!a.description.empty()) w.key("description").string(a.description);
    if (!a.choices.is(kind::missing)) w.key("enum").raw(a.choices.json(schema_bytes_max));
    if (!a.otherwise.is(kind::missing)) w.key("default").raw(a.otherwise.json(schema_bytes_max));
    const value extra = corrected(a.schema);
    for (const auto& [key, v] : extra.fields()) w.key(key).raw(v.json(schema_bytes_max));
    w.end_object();
}

}  // namespace

std::string input_schema(const tool& t) {
    std::string out;
    http::json_writer w{out};
    w.begin_object().key("type").string("object").key("properties").begin_object();
    for (const argument& a : t.args) write_argument(w, a);
    w.end_object();
    bool any = false;
    for (const argument& a : t.args) {
        // A path argument without a default cannot be left out, whatever the file says.
        const bool required = a.required || a.where == position::path;
        if (!required || !a.otherwise.is(kind::missing)) continue;
        if (!any) w.key("required").begin_array();
        any = true;
        w.string(a.name);
    }
    if (any) w.end_array();
    w.end_object();
    return out;
}

std::string tool_json(const tool& t) {
    const std::string& method = t.request.method;
    const bool reads = t.answers_itself() || method == "GET" || method == "HEAD";
    const bool removes = method == "DELETE" && !reads;
    std::string out;
    http::json_writer w{out};
    w.begin_object().key("name").string(t.name);
    if (!t.description.empty()) w.key("description").string(t.description);
    w.key("inputSchema").raw(input_schema(t));
    if (t.output_schema.is(kind::object)) w.key("outputSchema").raw(corrected(t.output_schema).json(schema_bytes_max));
    w.key("annotations").begin_object().key("readOnlyHint").boolean(reads);
    if (removes) w.key("destructiveHint").boolean(true);
    if (reads || removes || method == "PUT") w.key("idempotentHint").boolean(true);
    w.key("openWorldHint").boolean(!t.answers_itself()).end_object().end_object();
    return out;
}

}  // namespace sluice::mcp::rest
