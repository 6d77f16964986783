#include "mcp/rest/request.hpp"
#include "unit/mcp/rest/sample.hpp"

#include <catch2/catch.hpp>

namespace sluice::mcp::rest {

using testing::load_tool;
using testing::request_text;

TEST_CASE("arguments go to their positions") {
    const std::string yaml =
        "  args:\n"
        "  - {name: id, position: path}\n"
        "  - {name: q, position: query}\n"
        "  - {name: many, type: array, position: query}\n"
        "  - {name: X-A, position: header}\n"
        "  - {name: c, position: cookie}\n"
        "  - {name: n, type: number, position: body}\n"
        "  - {name: s, position: body, default: d}\n"
        "  requestTemplate: {url: '{{.config.base}}/{id}?fixed=1', method: POST}\n";
    CHECK(request_text(yaml, R"({"id":"a/b","q":"x&y=z","many":["1","2 3"],"X-A":"h","c":"v;w","n":1.50})") ==
          "POST https://h/v1/a%2Fb?fixed=1&q=x%26y%3Dz&many=1&many=2%203\n"
          "X-A: h\nContent-Type: application/json; charset=utf-8\nCookie: c=v%3Bw\n\n"
          R"({"n":1.50,"s":"d"})");
    CHECK(request_text(yaml, R"({"q":"x"})") == "bad_request id: argument \"id\": is required");
}

TEST_CASE("arguments without a position go where the definition sends them") {
    const std::string args = "  args: [{name: a}, {name: l, type: array}, {name: o, type: object}]\n";
    const std::string_view given = R"({"a":"x y","l":[1,2],"o":{"k":null}})";
    CHECK(request_text(args + "  requestTemplate: {url: 'https://h/', method: POST, argsToJsonBody: true}\n", given) ==
          "POST https://h/\nContent-Type: application/json; charset=utf-8\n\n"
          R"({"a":"x y","l":[1,2],"o":{"k":null}})");
    CHECK(request_text(args + "  requestTemplate: {url: 'https://h/', argsToUrlParam: true}\n", given) ==
          "GET https://h/?a=x%20y&l=1&l=2&o=%7B%22k%22%3Anull%7D\n");
    CHECK(request_text(args + "  requestTemplate: {url: 'https://h/', method: POST, argsToFormBody: true}\n", given) ==
          "POST https://h/\nContent-Type: application/x-www-form-urlencoded\n\n"
          "a=x%20y&l=1&l=2&o=%7B%22k%22%3Anull%7D");
    CHECK(request_text(args + "  requestTemplate: {url: 'https://h/{{.args.a}}'}\n", given) == "GET https://h/x%20y\n");
}

TEST_CASE("an argument cannot leave its place") {
    const std::string path = "  args: [{name: a, position: path}]\n  requestTemplate: {url: 'https://h/x/{a}/y'}\n";
    CHECK(request_text(path, R"({"a":".."})").starts_with("bad_request : an argument may not leave its place"));
    CHECK(request_text(path, R"({"a":"."})").starts_with("bad_request"));
    CHECK(request_text(path, R"({"a":""})").starts_with("bad_request a"));
    CHECK(request_text(path, R"({"a":"../../etc?x#y"})") == "GET https://h/x/..%2F..%2Fetc%3Fx%23y/y\n");
    CHECK(request_text(path, R"({"a":"%2e%2e"})") == "GET https://h/x/%252e%252e/y\n");
    const std::string split = "  args: [{name: a}]\n  requestTemplate: {url: 'https://h/.{{.args.a}}'}\n";
    CHECK(request_text(split, R"({"a":"."})").starts_with("bad_request"));
    const std::string host = "  args: [{name: a}]\n  requestTemplate: {url: 'https://{{.args.a}}/'}\n";
    CHECK(request_text(host, R"({"a":"evil"})").starts_with("bad_request : an argument may not choose the host"));
    const std::string header =
        "  args: [{name: X-A, position: header}, {name: b}]\n"
        "  requestTemplate: {url: 'https://h/', headers: [{key: B, value: '{{.args.b}}'}]}\n";
    CHECK(request_text(header, R"({"X-A":"v\r\nEvil: 1"})") ==
          "bad_request X-A: argument \"X-A\": cannot stand in a header");
    CHECK(request_text(header, R"({"b":"v\nEvil: 1"})").starts_with("bad_request"));
    const std::string body =
        "  args: [{name: a}, {name: n, type: integer}]\n"
        "  requestTemplate:\n    url: https://h/\n    method: POST\n"
        "    body: '{\"a\":\"{{.args.a}}\",\"n\":{{.args.n}}}'\n";
    CHECK(request_text(body, R"({"a":"x\",\"admin\":true,\"b\":\""})") ==
          "POST https://h/\nContent-Type: application/json; charset=utf-8\n\n"
          R"({"a":"x\",\"admin\":true,\"b\":\"","n":null})");
}

TEST_CASE("types are checked, and taken with the sloppiness of models") {
    const std::string yaml =
        "  args: [{name: s}, {name: i, type: integer}, {name: n, type: number}, {name: b, type: boolean},\n"
        "    {name: l, type: array}, {name: e, enum: [x, y]}, {name: d, type: integer, default: 5}]\n"
        "  requestTemplate: {url: 'https://h/', method: POST, argsToJsonBody: true}\n";
    CHECK(request_text(yaml, R"({"s":5,"i":"7","n":"1.5","b":"true","l":"[1]","e":"y"})")
              .ends_with(R"({"s":"5","i":7,"n":1.5,"b":true,"l":[1],"e":"y","d":5})"));
    CHECK(request_text(yaml, R"({"s":null,"d":6})").ends_with(R"({"d":6})"));
    CHECK(request_text(yaml, R"({"i":1.5})") == "bad_request i: argument \"i\": expected a whole number");
    CHECK(request_text(yaml, R"({"i":true})") == "bad_request i: argument \"i\": expected a whole number");
    CHECK(request_text(yaml, R"({"b":1})") == "bad_request b: argument \"b\": expected true or false");
    CHECK(request_text(yaml, R"({"l":"x"})") == "bad_request l: argument \"l\": expected an array");
    CHECK(request_text(yaml, R"({"s":{}})") == "bad_request s: argument \"s\": expected a string");
    CHECK(request_text(yaml, R"({"e":"z"})") == "bad_request e: argument \"e\": expected one of [\"x\",\"y\"]");
    CHECK(request_text(yaml, R"({"z":"1"})").starts_with("bad_request z: there is no argument of that name"));
    CHECK(request_text(yaml, "[]") == "bad_request : arguments must be an object");
    CHECK(request_text(yaml, "{").starts_with("bad_request"));
}

TEST_CASE("credentials are applied, and a call never goes out without one it needs") {
    const auto with = [](std::string_view id, const secret& client = {}, std::string_view more = {}) {
        return request_text(
            "  requestTemplate: {url: 'https://h/', security: {id: " + std::string{id} + std::string{more} + "}}\n",
            "{}", client);
    };
    CHECK(with("bearer") == "GET https://h/\nAuthorization: Bearer tok\n");
    CHECK(with("basic") == "GET https://h/\nAuthorization: Basic dTpw\n");
    CHECK(with("header") == "GET https://h/\nX-Key: hk\n");
    CHECK(with("query") == "GET https://h/?k=q%20k%26\n");
    CHECK(with("cookie") == "GET https://h/\nCookie: ck=cv\n");
    CHECK(with("none").find("there is no credential") != std::string::npos);
    CHECK(with("bearer", {}, ", credential: own") == "GET https://h/\nAuthorization: Bearer own\n");
    // The client's own only where the definition says so.
    CHECK(with("bearer", secret{"theirs"}) == "GET https://h/\nAuthorization: Bearer tok\n");
    CHECK(with("bearer", secret{"theirs"}, ", passthrough: true") == "GET https://h/\nAuthorization: Bearer theirs\n");
    CHECK(with("bearer", secret{"a\r\nb"}, ", passthrough: true").starts_with("bad_request Authorization"));
}

TEST_CASE("what may be logged of a request holds neither query nor headers") {
    const definition d = load_tool("  requestTemplate: {url: 'https://h:8443/p', security: {id: query}}\n");
    const auto made = make_request(d, d.tools.at(0), value::object({}).value(), {});
    REQUIRE(made.has_value());
    CHECK(made->loggable() == "GET https://h:8443");
}

}  // namespace sluice::mcp::rest
