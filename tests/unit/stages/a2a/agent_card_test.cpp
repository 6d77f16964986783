#include <catch2/catch.hpp>

#include "stages/a2a/agent_card.hpp"

using namespace sluice;
using namespace sluice::a2a;

namespace {

const card_changes here{"https://gw.example.com/agents/w", {}};

std::string served(std::string_view card, std::string_view upstream_path = "/a2a") {
    const auto text = served_card(card, upstream_path, here);
    return text ? *text : text.error().message;
}

}  // namespace

TEST_CASE("a card of A2A 0.3 names the gateway's URLs and keeps the rest byte for byte") {
    CHECK(served(R"({ "name":"w", "url":"http://10.0.0.3:9000/a2a/rpc" ,"preferredTransport":"JSONRPC",
"additionalInterfaces":[{"url":"http://agent.internal/a2a/rest","transport":"HTTP+JSON"}, {"transport":"JSONRPC","url":"http://x/a2a/rpc"}],"n":1.0})") ==
          R"({ "name":"w", "url":"https://gw.example.com/agents/w/rpc" ,"preferredTransport":"JSONRPC",
"additionalInterfaces":[{"url":"https://gw.example.com/agents/w/rest","transport":"HTTP+JSON"},{"transport":"JSONRPC","url":"https://gw.example.com/agents/w/rpc"}],"n":1.0})");
}

TEST_CASE("a card of A2A 1.0 names the gateway's URLs") {
    CHECK(
        served(
            R"({"supportedInterfaces":[{"url":"http://a/a2a","protocolBinding":"JSONRPC","protocolVersion":"1.0"}]})") ==
        R"({"supportedInterfaces":[{"url":"https://gw.example.com/agents/w","protocolBinding":"JSONRPC","protocolVersion":"1.0"}]})");
}

TEST_CASE("interfaces that do not pass the gateway are not offered") {
    CHECK(
        served(
            R"({"supportedInterfaces":[{"url":"http://a:50051","protocolBinding":"GRPC"},{"url":"http://a/other","protocolBinding":"JSONRPC"},
{"url":"ftp://a/a2a"},7,{"protocolBinding":"JSONRPC"},{"url":"http://a/a2a/x","protocolBinding":"JSONRPC"}]})") ==
        R"({"supportedInterfaces":[{"url":"https://gw.example.com/agents/w/x","protocolBinding":"JSONRPC"}]})");
    CHECK(served(R"({"supportedInterfaces":[{"url":"http://a:50051","protocolBinding":"GRPC"}]})") ==
          "The agent's card cannot be served: none of its interfaces lies behind the gateway.");
    CHECK(served(R"({"url":"http://a/a2ab"})") ==
          "The agent's card cannot be served: none of its interfaces lies behind the gateway.");
}

TEST_CASE("another interface takes the place of a first one that does not pass") {
    CHECK(
        served(
            R"({"url":"http://a:50051","preferredTransport":"GRPC","additionalInterfaces":[{"url":"http://a/a2a/r","transport":"HTTP+JSON"}]})") ==
        R"({"url":"https://gw.example.com/agents/w/r","preferredTransport":"HTTP+JSON","additionalInterfaces":[{"url":"https://gw.example.com/agents/w/r","transport":"HTTP+JSON"}]})");
}

TEST_CASE("signatures of another text go, and configured fields come") {
    const card_changes changes{"https://gw", {{"security", R"([{"key":[]}])"}}};
    CHECK(*served_card(R"({"url":"http://a","signatures":[{"protected":"x"}],"security":[]})", "", changes) ==
          R"({"url":"https://gw","security":[{"key":[]}]})");
}

TEST_CASE("a root with and without its slash stays as the agent wrote it") {
    CHECK(served(R"({"url":"http://a"})", "") == R"({"url":"https://gw.example.com/agents/w"})");
    CHECK(served(R"({"url":"http://a/"})", "") == R"({"url":"https://gw.example.com/agents/w/"})");
    CHECK(served(R"({"url":"http://a/x?y=1"})", "") == R"({"url":"https://gw.example.com/agents/w/x?y=1"})");
}

TEST_CASE("a card inside a JSON-RPC answer is served likewise, an error as it is") {
    CHECK(*served_card_result(R"({"jsonrpc":"2.0","id":1,"result":{"url":"http://a/a2a"}})", "/a2a", here) ==
          R"({"jsonrpc":"2.0","id":1,"result":{"url":"https://gw.example.com/agents/w"}})");
    const std::string refused = R"({"jsonrpc":"2.0","id":1,"error":{"code":-32007}})";
    CHECK(*served_card_result(refused, "/a2a", here) == refused);
    CHECK_FALSE(served_card_result(R"({"result":[]})", "/a2a", here).has_value());
}

TEST_CASE("what is no card is an error of the upstream") {
    for (const char* const text : {"", "[]", "{", R"({"name":"w"})", R"({"url":7})", R"({"url":"a","url":"b"})"}) {
        const auto card = served_card(text, "", here);
        INFO(text);
        REQUIRE_FALSE(card.has_value());
        CHECK(card.error().kind == error_kind::upstream_protocol);
    }
}
