// What the tests of tools share: a definition from YAML, a request from arguments, as text.
#pragma once

#include "mcp/rest/request.hpp"

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::mcp::rest::testing {

inline std::vector<std::string> printed(const std::vector<config::problem>& problems) {
    std::vector<std::string> out;
    for (const auto& p : problems) out.push_back(to_string(p));
    return out;
}

// One tool "t" whose fields are `yaml` (indented by two), with a server that knows all kinds of schemes.
inline std::string tool_file(std::string_view yaml) {
    return "server:\n"
           "  name: s\n"
           "  config: {key: k-1, base: 'https://h/v1'}\n"
           "  securitySchemes:\n"
           "  - {id: bearer, type: http, scheme: bearer, defaultCredential: tok}\n"
           "  - {id: basic, type: http, scheme: basic, defaultCredential: 'u:p'}\n"
           "  - {id: header, type: apiKey, in: header, name: X-Key, defaultCredential: hk}\n"
           "  - {id: query, type: apiKey, in: query, name: k, defaultCredential: 'q k&'}\n"
           "  - {id: cookie, type: apiKey, in: cookie, name: ck, defaultCredential: cv}\n"
           "  - {id: none, type: http, scheme: bearer}\n"
           "tools:\n"
           "- name: t\n" +
           std::string{yaml};
}

inline definition load_tool(std::string_view yaml) {
    auto loaded = load_definition(tool_file(yaml), "t.yaml");
    if (!loaded.made) throw std::runtime_error{to_string(loaded.problems.at(0))};
    return std::move(*loaded.made);
}

// "GET url\nName: value\n\nbody", or "kind param: message".
inline std::string request_text(std::string_view yaml, std::string_view arguments, const secret& client = {}) {
    const definition d = load_tool(yaml);
    const auto failure = [](const error& e) {
        return std::string{traits(e.kind).code} + ' ' + e.param + ": " + e.message;
    };
    const auto args = read_arguments(d.tools.at(0), arguments);
    if (!args) return failure(args.error());
    const auto made = make_request(d, d.tools.at(0), *args, {}, client);
    if (!made) return failure(made.error());
    std::string out = made->method + ' ' + made->url + '\n';
    for (const auto& [name, v] : made->headers) {
        if (v != "*/*") out += name + ": " + v + '\n';
    }
    return made->body.empty() ? out : out + '\n' + made->body;
}

}  // namespace sluice::mcp::rest::testing
