#include "mcp/rest/definition.hpp"
#include "unit/mcp/rest/sample.hpp"

#include <catch2/catch.hpp>

namespace sluice::mcp::rest {

using testing::printed;
using testing::tool_file;
using lines = std::vector<std::string>;

namespace {

lines problems_of(std::string_view yaml) {
    return printed(load_definition(tool_file(yaml), "t.yaml").problems);
}

}  // namespace

TEST_CASE("a whole definition is read") {
    const auto loaded = load_definition(tool_file("  description: d\n"
                                                  "  args:\n"
                                                  "  - {name: id, position: path, type: integer, required: true}\n"
                                                  "  - {name: u, enum: [a, b], default: a}\n"
                                                  "  requestTemplate: {url: 'https://h/{id}', method: put,\n"
                                                  "    headers: [{key: A, value: b}], security: {id: bearer}}\n"
                                                  "  responseTemplate: {prependBody: p, appendBody: q}\n"
                                                  "  outputSchema: {type: object}\n"),
                                        "t.yaml", {{"key", secret{"other"}}});
    REQUIRE(printed(loaded.problems) == lines{});
    REQUIRE(printed(loaded.warnings) == lines{});
    const definition& d = *loaded.made;
    CHECK(d.name == "s");
    CHECK(d.config.get("key").text(100) == "other");
    CHECK(d.config.get("base").trusted());
    const tool& t = d.tools.at(0);
    CHECK(t.args.at(0).where == position::path);
    CHECK(t.args.at(0).type == arg_type::integer);
    CHECK(t.args.at(1).otherwise.text(10) == "a");
    CHECK(t.request.method == "PUT");
    CHECK(t.response.append == "q");
    CHECK(t.output_schema.get("type").text(10) == "object");
}

TEST_CASE("what would make a call go wrong is an error with its place") {
    CHECK(problems_of("  requestTemplate: {url: '{{.args.x | nope}}'}\n") ==
          lines{"t.yaml:13:26: tools[0].requestTemplate.url: the template does not compile, at 1:13: there is no "
                "function \"nope\""});
    CHECK(problems_of("  requestTemplate: {url: 'https://h/{id}'}\n") ==
          lines{"t.yaml:13:26: tools[0].requestTemplate.url: no argument \"id\" has the position path"});
    CHECK(problems_of("  args: [{name: id, position: path}]\n  requestTemplate: {url: 'https://h/'}\n")
              .at(0)
              .ends_with("the URL has no {id} for the path argument of that name"));
    CHECK(problems_of("  args: [{name: a, type: text}]\n  requestTemplate: {url: 'https://h/'}\n") ==
          lines{"t.yaml:13:26: tools[0].args[0].type: expected one of string, number, integer, boolean, array, "
                "object, got \"text\""});
    CHECK(problems_of("  args: {a: b}\n  requestTemplate: {url: 'https://h/'}\n") ==
          lines{"t.yaml:13:9: tools[0].args: expected a list, got a mapping"});
    CHECK(problems_of("  args: [{name: a, required: sometimes}]\n  requestTemplate: {url: 'https://h/'}\n") ==
          lines{"t.yaml:13:30: tools[0].args[0].required: expected true or false"});
    CHECK(problems_of("  args: [{name: a}, {name: a}]\n  requestTemplate: {url: 'https://h/'}\n")
              .at(0)
              .ends_with("a second argument of that name"));
    CHECK(problems_of("  args: [{name: Content-Length, position: header}]\n  requestTemplate: {url: 'https://h/'}\n")
              .at(0)
              .ends_with("no argument may set the header \"Content-Length\""));
    CHECK(problems_of("  requestTemplate: {url: 'https://h/', security: {id: nobody}}\n")
              .at(0)
              .ends_with("there is no security scheme \"nobody\""));
    CHECK(problems_of("  requestTemplate: {url: 'https://h/', argsToJsonBody: true, body: x}\n").size() == 1);
    CHECK(problems_of("  responseTemplate: {prependBody: x}\n")
              .at(0)
              .ends_with("a tool without requestTemplate.url needs responseTemplate.body"));
    CHECK(printed(load_definition("tools: []", "t.yaml").problems).size() == 2);
    CHECK_FALSE(load_definition("{", "t.yaml").problems.empty());
    CHECK_FALSE(load_definition("", "t.yaml").made.has_value());
}

TEST_CASE("unknown keys are warnings, as these files come from elsewhere") {
    const auto loaded = load_definition(tool_file("  requestTemplate: {url: 'https://h/', metod: GET}\n"
                                                  "  colour: red\n"),
                                        "t.yaml");
    CHECK(loaded.made.has_value());
    CHECK(printed(loaded.warnings) ==
          lines{"t.yaml:13:40: tools[0].requestTemplate.metod: unknown key, ignored (hint: did you mean method?)",
                "t.yaml:14:3: tools[0].colour: unknown key, ignored"});
}

TEST_CASE("allowTools says which tools remain, an empty list that none do") {
    const std::string two = tool_file(
        "  requestTemplate: {url: 'https://h/'}\n"
        "- name: u\n  requestTemplate: {url: 'https://h/'}\n");
    CHECK(load_definition(two, "t").made->tools.size() == 2);
    const auto one = load_definition(two + "allowTools: [u, v]\n", "t");
    CHECK(one.made->find("t") == nullptr);
    CHECK(one.made->find("u") != nullptr);
    CHECK(one.warnings.size() == 1);
    CHECK(load_definition(two + "allowTools: []\n", "t").made->tools.empty());
}

}  // namespace sluice::mcp::rest
