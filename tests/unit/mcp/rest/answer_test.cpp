#include "mcp/rest/answer.hpp"
#include "mcp/rest/tool_schema.hpp"
#include "unit/mcp/rest/sample.hpp"

#include <sluice/json.hpp>

#include <catch2/catch.hpp>

namespace sluice::mcp::rest {

namespace {

const std::string url = "  requestTemplate: {url: 'https://h/'}\n";

std::string answer(std::string_view yaml, std::string_view body, int status = 200,
                   std::string_view type = "application/json", std::size_t bytes_max = 1024) {
    const definition d = testing::load_tool(yaml);
    template_context context;
    context.limits.output_bytes_max = bytes_max;
    const auto args = value::parse(R"({"city":"X"})").value();
    const auto made = make_result(d.tools.at(0), args, context, {status, type, {{"X-Id", "7"}}, body});
    CHECK(validate_json(made.json).has_value());
    CHECK(made.is_error == (made.json.find("\"isError\":true") != std::string::npos));
    return made.json;
}

std::string text(std::string_view inside) {
    return R"({"content":[{"type":"text","text":")" + std::string{inside} + "\"}]";
}

}  // namespace

TEST_CASE("an answer passes as it is, between two texts, or through a template") {
    CHECK(answer(url, R"({"a":1})") == text(R"({\"a\":1})") + "}");
    CHECK(answer(url, "") == text("success") + "}");
    CHECK(answer(url + "  responseTemplate: {prependBody: 'p ', appendBody: ' q'}\n", "x") == text("p x q") + "}");
    CHECK(answer(url + "  responseTemplate: {body: '{{.a.b}} in {{.args.city}}'}\n", R"({"a":{"b":"w"}})") ==
          text("w in X") + "}");
    CHECK(answer(url + "  responseTemplate: {body: '<{{.}}>'}\n", "no json") == text("<no json>") + "}");
    CHECK(answer(url + "  responseTemplate: {body: '{{div 1 .a}}'}\n", "{}").find("division by zero") !=
          std::string::npos);
}

TEST_CASE("an answer with an output schema is structured too") {
    const std::string yaml = url + "  outputSchema: {type: object}\n";
    CHECK(answer(yaml, R"({ "a" : 1 })") == text(R"({ \"a\" : 1 })") + R"(,"structuredContent":{"a":1}})");
    CHECK(answer(yaml, "[1]").find("did not answer with a JSON object") != std::string::npos);
}

TEST_CASE("an image is image content") {
    CHECK(answer(url, "\x89PNG", 200, "image/png; q=1") ==
          R"({"content":[{"type":"image","data":"iVBORw==","mimeType":"image/png"}]})");
    CHECK(answer(url, std::string(2000, 'x'), 200, "image/png").find("too large") != std::string::npos);
}

TEST_CASE("an error of the service is an error result, in the words of its template") {
    CHECK(answer(url, "gone", 404) == text("call failed, status: 404, response: gone") + R"(,"isError":true})");
    const std::string yaml =
        url + "  errorResponseTemplate: '{{.why}} {{gjson \"_headers.:status\"}} {{gjson \"_headers.x-id\"}}'\n";
    CHECK(answer(yaml, R"({"why":"full"})", 503) == text("full 503 7") + R"(,"isError":true})");
}

TEST_CASE("a long answer is cut between characters and says so") {
    CHECK(answer(url, "aaa\u4e2d\u6587", 200, "text/plain", 5) == text("aaa\\n[cut: 6 more bytes]") + "}");
}

TEST_CASE("an answer of more values than templates walk is refused") {
    std::string many = "[0";
    for (std::size_t i = 0; i < value::parsed_max; ++i) many += ",0";
    CHECK(answer(url + "  responseTemplate: {body: '{{len .}}'}\n", many + "]").find("too many values") !=
          std::string::npos);
}

TEST_CASE("a tool without a request answers by itself") {
    const definition d = testing::load_tool("  responseTemplate: {body: '{{.args.a}} {{.config.key}}'}\n");
    CHECK(d.tools.at(0).answers_itself());
    CHECK(direct_result(d, d.tools.at(0), value::parse(R"({"a":1})").value(), {}).json == text("1 k-1") + "}");
}

TEST_CASE("a tool's schema and annotations follow from its definition") {
    const auto shown = [](std::string_view yaml) { return tool_json(testing::load_tool(yaml).tools.at(0)); };
    CHECK(
        shown("  description: d\n"
              "  args: [{name: a, type: integer, required: true, minimum: 1}, {name: b, enum: [x], default: x}]\n" +
              url) ==
        R"({"name":"t","description":"d","inputSchema":{"type":"object","properties":{"a":{"type":"integer","minimum":1},)"
        R"("b":{"type":"string","enum":["x"],"default":"x"}},"required":["a"]},)"
        R"("annotations":{"readOnlyHint":true,"idempotentHint":true,"openWorldHint":true}})");
    const std::string nested = shown(
        "  args: [{name: o, type: object, properties: {p: {type: string, required: true}, q: {type: string}}}]\n"
        "  requestTemplate: {url: 'https://h/', method: DELETE}\n");
    CHECK(nested.find(R"("properties":{"p":{"type":"string"},"q":{"type":"string"}},"required":["p"])") !=
          std::string::npos);
    CHECK(nested.find(R"("readOnlyHint":false,"destructiveHint":true)") != std::string::npos);
}

}  // namespace sluice::mcp::rest
