#include "mcp/protocol/client_facts.hpp"

#include <catch2/catch.hpp>

namespace sluice::mcp {
namespace {

abilities of(std::string_view json) {
    return read_abilities({json_type::object, json});
}

request_meta meta(std::string_view params) {
    auto read = read_meta(params);
    INFO(params);
    REQUIRE(std::holds_alternative<request_meta>(read));
    return std::get<request_meta>(std::move(read));
}

}  // namespace

TEST_CASE("an empty elicitation capability means forms alone") {
    CHECK(of(R"({"elicitation":{}})").has(ability::elicitation_form));
    CHECK_FALSE(of(R"({"elicitation":{}})").has(ability::elicitation_url));
    CHECK(of(R"({"elicitation":{"url":{}}})").has(ability::elicitation_url));
    CHECK_FALSE(of(R"({"elicitation":{"url":{}}})").has(ability::elicitation_form));
    CHECK(of(R"({"elicitation":{"url":{},"form":{}}})").has(ability::elicitation_form));
    CHECK_FALSE(of(R"({"elicitation":true})").has(ability::elicitation_form));
}

TEST_CASE("capabilities that were read are written again") {
    for (const std::string_view json :
         {R"({})", R"({"elicitation":{"form":{}}})", R"({"sampling":{"tools":{},"context":{}}})", R"({"roots":{}})",
          R"({"extensions":{"io.modelcontextprotocol/tasks":{}}})"}) {
        CHECK(capabilities_json(of(json)) == json);
    }
}

TEST_CASE("each question needs its ability") {
    CHECK(needed_for("roots/list", {}) == ability::roots);
    CHECK(needed_for("sampling/createMessage", R"({"messages":[]})") == ability::sampling);
    CHECK(needed_for("sampling/createMessage", R"({"tools":[]})") == ability::sampling_tools);
    CHECK(needed_for("elicitation/create", R"({"message":"x"})") == ability::elicitation_form);
    CHECK(needed_for("elicitation/create", R"({"mode":"url"})") == ability::elicitation_url);
    CHECK_FALSE(needed_for("tools/call", {}).has_value());
}

TEST_CASE("a request of the modern era says all about its client") {
    const request_meta m = meta(
        R"({"name":"x","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
        R"("io.modelcontextprotocol/clientCapabilities":{"roots":{}},"io.modelcontextprotocol/logLevel":"warning",)"
        R"("progressToken":5}})");
    CHECK(m.present);
    CHECK(m.client.speaks == version::v2026_07_28);
    CHECK(m.has_capabilities);
    CHECK(m.client.can.has(ability::roots));
    CHECK(m.client.log_from == log_level::warning);
    CHECK(m.progress_token == "5");
}

TEST_CASE("a legacy request may have a _meta without a version") {
    CHECK_FALSE(meta("").present);
    CHECK_FALSE(meta(R"({"a":1})").present);
    const request_meta m = meta(R"({"_meta":{"progressToken":"p"}})");
    CHECK_FALSE(m.present);
    CHECK(m.progress_token == R"("p")");
}

TEST_CASE("a _meta of wrong types is refused") {
    for (const std::string_view params :
         {R"({"_meta":1})", R"({"_meta":{"progressToken":{}}})", R"({"_meta":{"progressToken":1.5}})",
          R"({"_meta":{"io.modelcontextprotocol/protocolVersion":1}})",
          R"({"_meta":{"io.modelcontextprotocol/clientCapabilities":[]}})",
          R"({"_meta":{"io.modelcontextprotocol/logLevel":"loud"}})"}) {
        auto read = read_meta(params);
        INFO(params);
        REQUIRE(std::holds_alternative<rpc_error>(read));
        CHECK(std::get<rpc_error>(read).is(rpc_code::invalid_params));
    }
}

}  // namespace sluice::mcp
