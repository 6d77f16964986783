#include "mcp/rest/definition.hpp"

#include <sluice/message.hpp>

#include "base/ascii.hpp"
#include "base/nearest.hpp"
#include "config/document.hpp"
#include "http/settable_header.hpp"
#include "mcp/rest/yaml_fields.hpp"

#include <algorithm>
#include <set>

namespace sluice::mcp::rest {

namespace {

using kind = security_scheme::kind;

// --- templates -------------------------------------------------------------------------------------------

text_template compile(const fields& f, std::string_view key, std::string_view source) {
    auto made = text_template::compile(source);
    if (made) return *made;
    f.problem(key, "the template does not compile, at " + made.error().message);
    return {};
}

text_template compile(const fields& f, std::string_view key) {
    return compile(f, key, f.text(key));
}

// "{id}" outside of actions becomes an action that inserts the argument: one way for values into a URL.
std::string with_path_args(const fields& f, const std::string& url, const std::vector<argument>& args) {
    std::string out;
    std::set<std::string_view> used;
    for (std::size_t at = 0; at < url.size();) {
        if (url.compare(at, 2, "{{") == 0) {
            const std::size_t end = std::min(url.find("}}", at), url.size() - 2) + 2;
            out.append(url, at, end - at);
            at = end;
            continue;
        }
        const std::size_t close = url[at] == '{' ? url.find('}', at) : std::string::npos;
        if (close == std::string::npos) {
            out += url[at++];
            continue;
        }
        const std::string_view name = std::string_view{url}.substr(at + 1, close - at - 1);
        const auto found = std::find_if(args.begin(), args.end(),
                                        [&](const argument& a) { return a.name == name && a.where == position::path; });
        if (found == args.end()) {
            f.problem("url", "no argument \"" + std::string{name} + "\" has the position path");
        } else {
            used.insert(found->name);
            out += "{{index .args \"" + found->name + "\"}}";  // names hold neither quotes nor backslashes
        }
        at = close + 1;
    }
    for (const argument& a : args) {
        if (a.where != position::path || used.contains(a.name)) continue;
        f.problem("url", "the URL has no {" + a.name + "} for the path argument of that name");
    }
    return out;
}

// --- arguments -------------------------------------------------------------------------------------------

bool plain_name(std::string_view name) {
    return !name.empty() && name.size() <= 128 && std::none_of(name.begin(), name.end(), [](char c) {
        return static_cast<unsigned char>(c) <= 0x20 || c == '"' || c == '\\' || c == '\x7f' || c == '{' || c == '}';
    });
}

argument read_argument(const fields& f) {
    argument a;
    a.name = f.required_text("name");
    if (!a.name.empty() && !plain_name(a.name)) f.problem("name", "not a name that an argument can have");
    a.description = f.text("description");
    a.type = f.one_of<arg_type>("type", arg_type::string,
                                {{"string", arg_type::string},
                                 {"number", arg_type::number},
                                 {"integer", arg_type::integer},
                                 {"boolean", arg_type::boolean},
                                 {"array", arg_type::array},
                                 {"object", arg_type::object}});
    a.required = f.flag("required");
    a.where = f.one_of<position>("position", position::none,
                                 {{"path", position::path},
                                  {"query", position::query},
                                  {"header", position::header},
                                  {"cookie", position::cookie},
                                  {"body", position::body}});
    if (a.where == position::header && !http::settable_header(a.name)) {
        f.problem("name", "no argument may set the header " + config::excerpt(a.name));
    }
    if (a.where == position::cookie && !valid_header_name(a.name)) f.problem("name", "not the name of a cookie");
    if (const auto* n = f.find("default")) a.otherwise = to_value(*n);
    if (f.has("enum") && !f.list("enum").empty()) a.choices = to_value(*f.find("enum"));
    // Other words of JSON Schema pass into the tool's schema as they are.
    value::members schema;
    for (const std::string_view word :
         {"items", "properties", "oneOf", "anyOf", "allOf", "additionalProperties", "minimum", "maximum",
          "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems",
          "pattern", "format", "title", "examples"}) {
        if (const auto* n = f.find(word)) schema.emplace_back(word, to_value(*n));
    }
    if (!schema.empty()) a.schema = value::object(std::move(schema)).value();
    f.only({"name",
            "description",
            "type",
            "required",
            "position",
            "default",
            "enum",
            "items",
            "properties",
            "oneOf",
            "anyOf",
            "allOf",
            "additionalProperties",
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "minLength",
            "maxLength",
            "minItems",
            "maxItems",
            "uniqueItems",
            "pattern",
            "format",
            "title",
            "examples"});
    return a;
}

std::vector<argument> read_arguments(const fields& f) {
    std::vector<argument> out;
    std::set<std::string> names;
    const auto& items = f.list("args");
    if (items.size() > args_max) f.problem("args", "more than 200 arguments");
    for (std::size_t i = 0; i < items.size() && i < args_max; ++i) {
        const fields item{items[i].get(), config::join(f.path("args"), i), f.told()};
        out.push_back(read_argument(item));
        if (!names.insert(out.back().name).second) item.problem("name", "a second argument of that name");
    }
    return out;
}

// --- security --------------------------------------------------------------------------------------------

security_scheme read_scheme(const fields& f) {
    security_scheme s;
    s.id = f.required_text("id");
    s.name = f.text("name");
    s.credential = secret{f.text("defaultCredential")};
    enum class type : std::uint8_t { http, api_key };
    if (f.one_of<type>("type", type::http, {{"http", type::http}, {"apiKey", type::api_key}}) == type::http) {
        s.what = f.one_of<kind>("scheme", kind::bearer, {{"bearer", kind::bearer}, {"basic", kind::basic}});
    } else {
        s.what = f.one_of<kind>("in", kind::header,
                                {{"header", kind::header}, {"query", kind::query}, {"cookie", kind::cookie}});
        if (s.name.empty()) f.problem("name", "an API key needs the name of its header, parameter or cookie");
        if (s.what == kind::header && !s.name.empty() && !http::settable_header(s.name)) {
            f.problem("name", "a credential cannot travel in this header");
        }
        if (s.what == kind::cookie && !valid_header_name(s.name)) f.problem("name", "not the name of a cookie");
    }
    f.only({"id", "type", "scheme", "in", "name", "defaultCredential"});
    return s;
}

security_use read_security(const fields& f, std::string_view key, const definition& d) {
    const fields s = f.section(key);
    security_use use;
    use.id = s.text("id");
    use.credential = secret{s.text("credential")};
    use.passthrough = s.flag("passthrough");
    s.only({"id", "credential", "passthrough"});
    if (!use.id.empty() && d.scheme(use.id) == nullptr) {
        s.problem("id", "there is no security scheme " + config::excerpt(use.id));
    }
    return use;
}

// --- tools -----------------------------------------------------------------------------------------------

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](char c) { return ascii::lower(c); });
    return text;
}

void read_headers(const fields& f, request_template& r, std::string& content_type) {
    const auto& items = f.list("headers");
    for (std::size_t i = 0; i < items.size(); ++i) {
        const fields h{items[i].get(), config::join(f.path("headers"), i), f.told()};
        const std::string name = h.required_text("key");
        h.only({"key", "value"});
        if (iequals(name, "content-type")) content_type = lower(h.text("value"));
        if (!valid_header_name(name)) {
            if (!name.empty()) h.problem("key", "not the name of a header");
        } else if (!http::settable_header(name)) {
            h.warning("key", "this header is the gateway's own and is not sent");
        } else {
            r.headers.push_back({name, compile(h, "value")});
        }
    }
}

placing place_of_body(std::string_view content_type, std::string_view body) {
    if (content_type.find("json") != std::string_view::npos) return placing::json;
    if (content_type.find("x-www-form-urlencoded") != std::string_view::npos) return placing::form;
    if (content_type.find("xml") != std::string_view::npos) return placing::xml;
    const std::size_t first = body.find_first_not_of(" \t\r\n");
    const bool looks = first != std::string_view::npos && (body[first] == '{' || body[first] == '[');
    return content_type.empty() && looks && !body.substr(first).starts_with("{{") ? placing::json : placing::text;
}

request_template read_request(const fields& tool_fields, const tool& t, const definition& d) {
    const fields f = tool_fields.section("requestTemplate");
    request_template r;
    r.has_url = !f.text("url").empty();
    r.url = compile(f, "url", with_path_args(f, f.text("url"), t.args));
    if (const std::string method = f.text("method"); !method.empty()) {
        if (valid_header_name(method)) {
            r.method = method;
            std::transform(r.method.begin(), r.method.end(), r.method.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
        } else {
            f.problem("method", "not a method");
        }
        if (r.method == "CONNECT" || r.method == "TRACE") f.problem("method", "a tool may not use this method");
    }
    std::string content_type;
    read_headers(f, r, content_type);
    r.has_body = f.has("body");
    r.body = compile(f, "body");
    r.body_is = place_of_body(content_type, f.text("body"));
    r.form_type = content_type.find("x-www-form-urlencoded") != std::string::npos;
    const int ways = int{f.flag("argsToJsonBody")} + int{f.flag("argsToUrlParam")} + int{f.flag("argsToFormBody")};
    if (ways + int{r.has_body && !f.flag("argsToUrlParam")} > 1) {
        f.problem("", "body, argsToJsonBody, argsToUrlParam and argsToFormBody exclude each other");
    }
    if (f.flag("argsToJsonBody")) r.spare = args_to::json_body;
    if (f.flag("argsToUrlParam")) r.spare = args_to::url_param;
    if (f.flag("argsToFormBody")) r.spare = args_to::form_body;
    r.security = read_security(f, "security", d);
    f.only({"url", "method", "headers", "body", "argsToJsonBody", "argsToUrlParam", "argsToFormBody", "security"});
    return r;
}

void read_response(const fields& tool_fields, tool& t) {
    const fields f = tool_fields.section("responseTemplate");
    t.response.body = compile(f, "body");
    t.response.prepend = f.text("prependBody");
    t.response.append = f.text("appendBody");
    f.only({"body", "prependBody", "appendBody"});
    if (f.has("body") && (f.has("prependBody") || f.has("appendBody"))) {
        f.problem("body", "body excludes prependBody and appendBody");
    }
    if (t.answers_itself() && t.response.body.empty()) {
        tool_fields.problem("", "a tool without requestTemplate.url needs responseTemplate.body");
    }
    t.error_response = compile(tool_fields, "errorResponseTemplate");
    t.output_schema = tool_fields.object("outputSchema");
}

tool read_tool(const fields& f, const definition& d) {
    tool t;
    t.name = f.required_text("name");
    if (!t.name.empty() && !plain_name(t.name)) f.problem("name", "not a name that a tool can have");
    t.description = f.text("description");
    t.args = read_arguments(f);
    t.request = read_request(f, t, d);
    read_response(f, t);
    t.security = read_security(f, "security", d);
    f.only({"name", "description", "args", "requestTemplate", "responseTemplate", "errorResponseTemplate",
            "outputSchema", "security", "legacyOnly"});
    return t;
}

void read_server(const fields& f, definition& d, const std::map<std::string, secret>& config) {
    d.name = f.required_text("name");
    d.version = f.text("version");
    if (f.text("type") == "mcp-proxy")
        f.problem("type", "an MCP server is no REST service", "list it as a source of kind mcp");
    value::members members;
    const value in_file = f.object("config");
    for (const auto& m : in_file.fields()) {
        if (!config.contains(m.first)) members.push_back(m);
    }
    for (const auto& [key, v] : config) members.emplace_back(key, value::string(std::string{v.reveal()}));
    d.config = value::object(std::move(members)).value().as_trusted();
    const auto& schemes = f.list("securitySchemes");
    for (std::size_t i = 0; i < schemes.size(); ++i) {
        const fields s{schemes[i].get(), config::join(f.path("securitySchemes"), i), f.told()};
        security_scheme made = read_scheme(s);
        if (d.scheme(made.id) != nullptr) s.problem("id", "a second scheme of that id");
        d.schemes.push_back(std::move(made));
    }
    d.upstream_security = read_security(f, "defaultUpstreamSecurity", d);
    f.only({"name", "version", "type", "config", "securitySchemes", "defaultUpstreamSecurity",
            "defaultDownstreamSecurity", "passthroughAuthHeader", "allowTools"});
}

void read_tools(const fields& f, definition& d) {
    const auto& items = f.list("tools");
    if (items.empty()) f.problem("tools", "there are no tools");
    if (items.size() > tools_max) f.problem("tools", "more than 2000 tools");
    for (std::size_t i = 0; i < items.size() && i < tools_max; ++i) {
        const fields item{items[i].get(), config::join("tools", i), f.told()};
        tool t = read_tool(item, d);
        if (d.find(t.name) != nullptr) item.problem("name", "a second tool of that name");
        d.tools.push_back(std::move(t));
    }
}

// A list that is there says which tools remain, even none; it stands at the top or in `server`.
void keep_allowed(const fields& f, definition& d) {
    if (!f.has("allowTools")) return;
    std::set<std::string> allowed;
    for (const auto& n : f.list("allowTools")) {
        if (d.find(n->text) == nullptr) {
            f.warning("allowTools", "there is no tool " + config::excerpt(n->text));
        }
        allowed.insert(n->text);
    }
    std::erase_if(d.tools, [&](const tool& t) { return !allowed.contains(t.name); });
}

}  // namespace

std::string_view name_of(arg_type type) {
    constexpr std::string_view names[] = {"string", "number", "integer", "boolean", "array", "object"};
    return names[static_cast<std::size_t>(type)];
}

const tool* definition::find(std::string_view tool_name) const {
    const auto found = std::find_if(tools.begin(), tools.end(), [&](const tool& t) { return t.name == tool_name; });
    return found != tools.end() ? &*found : nullptr;
}

const security_scheme* definition::scheme(std::string_view id) const {
    const auto found = std::find_if(schemes.begin(), schemes.end(), [&](const auto& s) { return s.id == id; });
    return found != schemes.end() ? &*found : nullptr;
}

loaded_definition load_definition(std::string_view yaml, std::string file,
                                  const std::map<std::string, secret>& config) {
    loaded_definition out;
    complaints told;
    const auto document = config::document::parse(yaml, std::move(file), told.problems);
    if (document.complete && document.root) {
        definition d;
        const fields root{document.root.get(), {}, told};
        if (!root.has("server")) root.problem("server", "\"server\" is missing");
        const fields server = root.section("server");
        if (root.has("server")) read_server(server, d, config);
        read_tools(root, d);
        root.only({"server", "tools", "allowTools"});
        keep_allowed(root, d);
        keep_allowed(server, d);
        out.made = std::move(d);
    }
    out.problems = told.problems.take();
    out.warnings = told.warnings.take();
    if (!out.problems.empty()) out.made.reset();
    return out;
}

}  // namespace sluice::mcp::rest
