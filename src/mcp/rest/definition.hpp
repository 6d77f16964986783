// REST services as tools: a definition file in Higress's format, read into structs.
//
//   server:
//     name: weather
//     config: {apiKey: ""}                       # .config of templates
//     securitySchemes: [{id: k, type: apiKey, in: header, name: X-Key, defaultCredential: ""}]
//   tools:
//     - name: get
//       description: ...
//       args: [{name: city, type: string, required: true, position: query}]
//       requestTemplate: {url: "https://h/v1/{id}", method: GET, headers: [{key: A, value: "{{.config.apiKey}}"}]}
//       responseTemplate: {body: "{{.temp}}"}    # or prependBody, appendBody
//   allowTools: [get]
//
// These files come from elsewhere, so that keys nobody knows are warnings; whatever would make a call go wrong (types,
// templates, positions, schemes that are not there) is an error with file:line:column. A definition never changes
// once loaded; any thread may read it.
#pragma once

#include <sluice/secret.hpp>

#include "config/problem.hpp"
#include "mcp/rest/template.hpp"
#include "mcp/rest/value.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::mcp::rest {

enum class arg_type : std::uint8_t { string, number, integer, boolean, array, object };
enum class position : std::uint8_t { none, path, query, header, cookie, body };
// Where arguments without a position go: nowhere but into templates, or ...
enum class args_to : std::uint8_t { templates, json_body, url_param, form_body };

std::string_view name_of(arg_type type);

struct argument {
    std::string name;
    std::string description;
    arg_type type = arg_type::string;
    bool required = false;
    position where = position::none;
    value otherwise;  // the default; missing if there is none
    value choices;    // enum: an array, or missing
    value schema;     // items, properties and what else JSON Schema knows: an object, may be missing
};

struct security_scheme {
    enum class kind : std::uint8_t { basic, bearer, header, query, cookie };
    std::string id;
    kind what = kind::bearer;
    std::string name;   // of the header, query parameter or cookie of an API key
    secret credential;  // defaultCredential: "user:password" or its base64 for basic
};

struct security_use {
    std::string id;            // empty: none
    secret credential;         // instead of the scheme's own
    bool passthrough = false;  // the client's credential, when there is one
};

struct header_template {
    std::string name;
    text_template value;
};

struct request_template {
    bool has_url = false;  // without one the tool answers by itself
    text_template url;     // {name} of path arguments has become {{index .args "name"}}
    std::string method = "GET";
    std::vector<header_template> headers;
    text_template body;
    bool has_body = false;
    placing body_is = placing::text;  // by Content-Type, or json by its look
    bool form_type = false;           // Content-Type says form
    args_to spare = args_to::templates;
    security_use security;
};

struct response_template {
    text_template body;
    std::string prepend, append;  // around the answer as it came
};

struct tool {
    std::string name;
    std::string description;
    std::vector<argument> args;
    request_template request;
    response_template response;
    text_template error_response;
    value output_schema;    // an object, or missing
    security_use security;  // of the client towards us: passthrough only

    bool answers_itself() const { return !request.has_url; }
};

struct definition {
    std::string name;
    std::string version;
    value config;  // an object, trusted; holds credentials: never print it
    std::vector<security_scheme> schemes;
    security_use upstream_security;  // of tools that name none
    std::vector<tool> tools;         // those that allowTools leaves

    const tool* find(std::string_view tool_name) const;
    const security_scheme* scheme(std::string_view id) const;
};

inline constexpr std::size_t tools_max = 2000;
inline constexpr std::size_t args_max = 200;

struct loaded_definition {
    std::optional<definition> made;  // nothing when there are problems
    std::vector<config::problem> problems;
    std::vector<config::problem> warnings;
};

// `file` is the path as messages show it. `config` replaces or adds members of server.config: where an operator keeps
// the keys that the file leaves empty. Never throws, whatever the bytes.
loaded_definition load_definition(std::string_view yaml, std::string file,
                                  const std::map<std::string, secret>& config = {});

}  // namespace sluice::mcp::rest
