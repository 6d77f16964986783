#include "mcp/protocol/request_headers.hpp"
#include "mcp/protocol/mirrored_arguments.hpp"

#include <catch2/catch.hpp>

namespace sluice::mcp {
namespace {

header_list headers(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
    header_list out;
    for (const auto& [name, value] : fields) out.add(name, value);
    return out;
}

rpc_message call(std::string method, std::string params) {
    rpc_message m;
    m.method = std::move(method);
    m.params = std::move(params);
    return m;
}

constexpr std::string_view v = "2026-07-28";

}  // namespace

TEST_CASE("values of headers are plain where that is safe, else base64") {
    for (const std::string_view text : {"us-west1", "Hello, \xe4\xb8\x96\xe7\x95\x8c", " padded ", "line1\nline2",
                                        "=?base64?literal?=", "", "a b\tc"}) {
        INFO(text);
        CHECK(decode_header_value(encode_header_value(text)) == std::string(text));
    }
    CHECK(encode_header_value("us-west1") == "us-west1");
    CHECK(encode_header_value(" padded ") == "=?base64?IHBhZGRlZCA=?=");
    CHECK(encode_header_value("=?base64?literal?=") == "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=");
    CHECK_FALSE(decode_header_value("=?base64?%%%?=").has_value());
    CHECK_FALSE(decode_header_value("=?base64?QQ?=").has_value());
    CHECK_FALSE(decode_header_value("na\xc3\xafve").has_value());
    CHECK(decode_header_value("=?BASE64?QQ==?=") == "=?BASE64?QQ==?=");
}

TEST_CASE("headers that say what the body says pass") {
    const rpc_message m = call("tools/call", R"({"name":"get"})");
    CHECK_FALSE(
        check_headers(headers({{"MCP-Protocol-Version", v}, {"mcp-method", "tools/call"}, {"MCP-NAME", "get"}}), m, v));
    const rpc_message odd = call("resources/read", R"({"uri":"x://\u00e9"})");
    CHECK_FALSE(check_headers(
        headers({{"MCP-Protocol-Version", v}, {"Mcp-Method", "resources/read"}, {"Mcp-Name", "=?base64?eDovL8Op?="}}),
        odd, v));
    CHECK_FALSE(
        check_headers(headers({{"MCP-Protocol-Version", v}, {"Mcp-Method", "tools/list"}}), call("tools/list", ""), v));
}

TEST_CASE("headers that say something else are refused") {
    const rpc_message m = call("tools/call", R"({"name":"get"})");
    for (const header_list& h : {
             headers({{"Mcp-Method", "tools/call"}, {"Mcp-Name", "get"}}),
             headers({{"MCP-Protocol-Version", "2025-11-25"}, {"Mcp-Method", "tools/call"}, {"Mcp-Name", "get"}}),
             headers({{"MCP-Protocol-Version", v}, {"Mcp-Name", "get"}}),
             headers({{"MCP-Protocol-Version", v}, {"Mcp-Method", "TOOLS/CALL"}, {"Mcp-Name", "get"}}),
             headers({{"MCP-Protocol-Version", v}, {"Mcp-Method", "tools/call"}}),
             headers({{"MCP-Protocol-Version", v}, {"Mcp-Method", "tools/call"}, {"Mcp-Name", "put"}}),
             headers(
                 {{"MCP-Protocol-Version", v}, {"Mcp-Method", "tools/call"}, {"Mcp-Name", "get"}, {"Mcp-Name", "put"}}),
             headers({{"MCP-Protocol-Version", v}, {"Mcp-Method", "tools/call"}, {"Mcp-Name", "=?base64?!?="}}),
         }) {
        const auto e = check_headers(h, m, v);
        REQUIRE(e.has_value());
        CHECK(e->is(rpc_code::header_mismatch));
    }
}

TEST_CASE("mirrored arguments are found by their path and compared by value") {
    const auto mirrored = mirrored_arguments(
        R"({"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"},)"
        R"("n":{"type":"integer","x-mcp-header":"Count"},"o":{"type":"object","properties":{"b":{"type":"boolean","x-mcp-header":"B"}}}}})");
    REQUIRE(mirrored.has_value());
    REQUIRE(mirrored->size() == 3);
    CHECK((*mirrored)[2].path == std::vector<std::string>{"o", "b"});
    const std::string_view arguments = R"({"region":"eu","n":42,"o":{"b":true}})";
    CHECK_FALSE(
        check_mirrored(headers({{"Mcp-Param-Region", "eu"}, {"Mcp-Param-Count", "42.0"}, {"Mcp-Param-B", "true"}}),
                       *mirrored, arguments));
    const auto refused = [&](const header_list& h, std::string_view with) {
        const auto e = check_mirrored(h, *mirrored, with);
        return e && e->is(rpc_code::header_mismatch);
    };
    CHECK(
        refused(headers({{"Mcp-Param-Region", "us"}, {"Mcp-Param-Count", "42"}, {"Mcp-Param-B", "true"}}), arguments));
    CHECK(refused(headers({{"Mcp-Param-Count", "42"}, {"Mcp-Param-B", "true"}}), arguments));
    CHECK(
        refused(headers({{"Mcp-Param-Region", "eu"}, {"Mcp-Param-Count", "43"}, {"Mcp-Param-B", "true"}}), arguments));
    CHECK(refused(headers({{"Mcp-Param-Region", "eu"}}), "{}"));
    CHECK(refused(headers({{"Mcp-Param-Region", "eu"}}), R"({"region":null})"));
    CHECK_FALSE(check_mirrored(headers({}), *mirrored, R"({"region":null})"));
}

TEST_CASE("an annotation that cannot be mirrored makes the schema invalid") {
    for (const std::string_view schema : {
             R"({"properties":{"a":{"type":"string","x-mcp-header":""}}})",
             R"({"properties":{"a":{"type":"string","x-mcp-header":"a b"}}})",
             R"({"properties":{"a":{"type":"string","x-mcp-header":1}}})",
             R"({"properties":{"a":{"type":"number","x-mcp-header":"A"}}})",
             R"({"properties":{"a":{"x-mcp-header":"A"}}})",
             R"({"properties":{"a":{"type":"string","x-mcp-header":"A"},"b":{"type":"string","x-mcp-header":"a"}}})",
             R"({"properties":{"a":{"type":"array","items":{"type":"string","x-mcp-header":"A"}}}})",
             R"({"properties":{"a":{"anyOf":[{"type":"string","x-mcp-header":"A"}]}}})",
             R"({"$defs":{"a":{"type":"string","x-mcp-header":"A"}}})",
             R"({"x-mcp-header":"A"})",
         }) {
        INFO(schema);
        CHECK_FALSE(mirrored_arguments(schema).has_value());
    }
    // A property may have that name, and data may hold it.
    const auto fine =
        mirrored_arguments(R"({"properties":{"x-mcp-header":{"type":"string"},"b":{"default":{"x-mcp-header":"A"}}}})");
    REQUIRE(fine.has_value());
    CHECK(fine->empty());
}

}  // namespace sluice::mcp
