#include "mcp/protocol/rpc.hpp"

#include <catch2/catch.hpp>

namespace sluice::mcp {
namespace {

rpc_message good(std::string_view text) {
    auto read = read_message(text);
    INFO(text);
    REQUIRE(std::holds_alternative<rpc_message>(read));
    return std::get<rpc_message>(std::move(read));
}

bad_message refused(std::string_view text) {
    auto read = read_message(text);
    INFO(text);
    REQUIRE(std::holds_alternative<bad_message>(read));
    return std::get<bad_message>(std::move(read));
}

}  // namespace

TEST_CASE("a request keeps its id and its params byte for byte") {
    const rpc_message m = good(R"({"jsonrpc":"2.0","id":"a\u0062","method":"tools/call","params":{ "x" : 1.50 }})");
    CHECK(m.what == rpc_message::kind::request);
    CHECK(m.id == R"("a\u0062")");
    CHECK(m.method == "tools/call");
    CHECK(m.params == R"({ "x" : 1.50 })");
    CHECK(good(R"({"jsonrpc":"2.0","id":7,"method":"ping"})").id == "7");
}

TEST_CASE("what has no id is a notification") {
    const rpc_message m = good(R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
    CHECK(m.what == rpc_message::kind::notification);
    CHECK(m.id.empty());
}

TEST_CASE("answers are results or errors") {
    const rpc_message yes = good(R"({"jsonrpc":"2.0","id":1,"result":{"a":[]}})");
    CHECK(yes.what == rpc_message::kind::response);
    CHECK(yes.result == R"({"a":[]})");
    const rpc_message no = good(R"({"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"no","data":[1]}})");
    CHECK(no.what == rpc_message::kind::failure);
    CHECK(no.error.code == -32000);
    CHECK(no.error.message == "no");
    CHECK(no.error.data == "[1]");
    CHECK(good(R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no"}})").id.empty());
}

TEST_CASE("each thing that is no message has its code") {
    CHECK(refused("{").error.is(rpc_code::parse_error));
    CHECK(refused("[]").error.is(rpc_code::invalid_request));
    CHECK(refused("\"x\"").error.is(rpc_code::invalid_request));
    CHECK(refused(R"({"id":1,"method":"x"})").error.is(rpc_code::invalid_request));
    CHECK(refused(R"({"jsonrpc":"1.0","id":1,"method":"x"})").error.is(rpc_code::invalid_request));
    CHECK(refused(R"({"jsonrpc":"2.0","id":null,"method":"x"})").error.is(rpc_code::invalid_request));
    CHECK(refused(R"({"jsonrpc":"2.0","id":1.5,"method":"x"})").error.is(rpc_code::invalid_request));
    CHECK(refused(R"({"jsonrpc":"2.0","id":{},"method":"x"})").error.is(rpc_code::invalid_request));
    CHECK(refused(R"({"jsonrpc":"2.0","id":1,"method":""})").error.is(rpc_code::invalid_request));
    CHECK(refused(R"({"jsonrpc":"2.0","id":1,"method":3})").error.is(rpc_code::invalid_request));
    CHECK(refused(R"({"jsonrpc":"2.0","id":1})").error.is(rpc_code::invalid_request));
    CHECK(refused(R"({"jsonrpc":"2.0","id":1,"method":"x","result":{}})").error.is(rpc_code::invalid_request));
    CHECK(refused(R"({"jsonrpc":"2.0","id":1,"result":[]})").error.is(rpc_code::invalid_request));
    CHECK(refused(R"({"jsonrpc":"2.0","result":{}})").error.is(rpc_code::invalid_request));
    CHECK(
        refused(R"({"jsonrpc":"2.0","id":1,"error":{"code":"x","message":"no"}})").error.is(rpc_code::invalid_request));
    CHECK(refused(R"({"jsonrpc":"2.0","id":1,"id":2,"method":"x"})").error.is(rpc_code::invalid_request));
    const bad_message params = refused(R"({"jsonrpc":"2.0","id":1,"method":"x","params":[1]})");
    CHECK(params.error.is(rpc_code::invalid_params));
    CHECK(params.id == "1");
    const std::string long_id(id_bytes_max + 1, 'x');
    CHECK(refused(R"({"jsonrpc":"2.0","id":")" + long_id + R"(","method":"x"})").error.is(rpc_code::invalid_request));
}

TEST_CASE("a batch is an array of 1 to 50 messages") {
    CHECK(looks_like_batch(" \n[1]"));
    CHECK_FALSE(looks_like_batch("{}"));
    CHECK(batch_messages(R"([{"a":1}, 2])") == std::vector<std::string_view>{R"({"a":1})", "2"});
    CHECK(batch_messages("[]").empty());
    CHECK(batch_messages("[1,]").empty());
    std::string many = "[0";
    for (std::size_t i = 0; i < batch_max; ++i) many += ",0";
    CHECK(batch_messages(many + "]").empty());
}

TEST_CASE("messages are written as they are read") {
    std::string out;
    append_result(out, "7", R"({"x":1})");
    CHECK(out == R"({"jsonrpc":"2.0","id":7,"result":{"x":1}})");
    out.clear();
    append_error(out, "\"a\"", rpc_error(rpc_code::invalid_params, "no \"x\"", R"({"y":2})"));
    CHECK(out == R"({"jsonrpc":"2.0","id":"a","error":{"code":-32602,"message":"no \"x\"","data":{"y":2}}})");
    out.clear();
    append_error(out, {}, rpc_error(rpc_code::parse_error, "no"), no_id::null);
    CHECK(out == R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no"}})");
    out.clear();
    append_notification(out, "notifications/message", {});
    CHECK(out == R"({"jsonrpc":"2.0","method":"notifications/message"})");
    out.clear();
    append_request(out, json_id("q"), "roots/list", "{}");
    CHECK(good(out).id == R"("q")");
}

}  // namespace sluice::mcp
