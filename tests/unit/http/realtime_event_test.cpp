#include "http/realtime_event.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace sluice;
using http::realtime_event;

namespace {

// Cut at every place, an event reads the same.
realtime_event read(const std::string& text) {
    realtime_event whole;
    whole.feed(text);
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        realtime_event two;
        two.feed(text.substr(0, cut));
        two.feed(text.substr(cut));
        REQUIRE(two.type() == whole.type());
        REQUIRE(two.usage().input == whole.usage().input);
        REQUIRE(two.usage().output == whole.usage().output);
    }
    return whole;
}

}  // namespace

TEST_CASE("a finished response tells what it used") {
    const realtime_event e =
        read(R"({"type":"response.done","event_id":"event_1","response":{"object":"realtime.response",
        "status":"completed","output":[{"type":"message","content":[{"type":"audio","transcript":"hi"}]}],
        "usage":{"total_tokens":253,"input_tokens":132,"output_tokens":121,
        "input_token_details":{"text_tokens":119,"audio_tokens":13,"cached_tokens":64,"cached_tokens_details":{"text_tokens":64}},
        "output_token_details":{"text_tokens":30,"audio_tokens":91}}}})");
    CHECK(e.type() == "response.done");
    CHECK(e.usage().input == 132);
    CHECK(e.usage().output == 121);
    CHECK(e.usage().cached_input == 64);
}

TEST_CASE("the type may stand behind the response") {
    const realtime_event e = read(
        R"({"response":{"type":"x","usage":{"input_tokens":1,"output_tokens":2}}, "event_id" : "e" , "type" : "response.done"})");
    CHECK(e.type() == "response.done");
    CHECK(e.usage().input == 1);
    CHECK(e.usage().output == 2);
}

TEST_CASE("only the type of the event itself counts") {
    CHECK(read(R"({"item":{"type":"response.done"},"type":"conversation.item.created"})").type() ==
          "conversation.item.created");
    CHECK(read(R"({"delta":"{\"type\":\"response.done\"}","type":"response.text.delta"})").type() ==
          "response.text.delta");
    CHECK(read(R"({"a":"type","b":"response.done"})").type().empty());
    CHECK(read(R"(["type","response.done"])").type().empty());
    CHECK(read(R"({"type":{"type":"response.done"}})").type().empty());
    CHECK(read(R"({"type":"response.done)").type().empty());
}

TEST_CASE("a response that reports nothing uses nothing") {
    const realtime_event e = read(R"({"type":"response.done","response":{"status":"cancelled","usage":null}})");
    CHECK(e.type() == "response.done");
    CHECK_FALSE(e.usage().reported());
}

TEST_CASE("a long type is none that is known") {
    CHECK(read(R"({"type":"response.done)" + std::string(200, 'x') + "\"}").type().size() <=
          realtime_event::text_max + 1);
}

TEST_CASE("what the responses of a session used adds up, without overflow") {
    token_usage total;
    token_usage one;
    one.input = 3;
    one.output = 4;
    http::add_usage(total, one);
    http::add_usage(total, one);
    CHECK(total.input == 6);
    CHECK(total.output == 8);
    CHECK(total.cached_input == -1);
    one.input = INT64_MAX;
    http::add_usage(total, one);
    CHECK(total.input == INT64_MAX);
}
