#include "pipeline/error_reply.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace std::chrono_literals;

TEST_CASE("an error has the form of OpenAI's") {
    CHECK(
        openai_error_body(error{error_kind::bad_request, "`n` is \"odd\".\n", "n"}) ==
        R"({"error":{"message":"`n` is \"odd\".\n","type":"invalid_request_error","param":"n","code":"bad_request"}})");
}

TEST_CASE("an error without words says its code in words, and without a place null") {
    const std::string body = openai_error_body(error{error_kind::upstream_connect_timeout});
    CHECK(body.find(R"("message":"upstream connect timeout")") != std::string::npos);
    CHECK(body.find(R"("param":null)") != std::string::npos);
    CHECK(body.find(R"("code":"upstream_connect_timeout")") != std::string::npos);
}

TEST_CASE("the reply of an error declares its type and its length") {
    const error e{error_kind::payload_too_large, "Too large."};
    const error_reply reply = make_error_reply(e);
    CHECK(reply.head.status == 413);
    CHECK(reply.body == openai_error_body(e));
    CHECK(reply.head.body == framing::length);
    CHECK(reply.head.content_length == reply.body.size());
    CHECK(reply.head.headers.find("content-type") == "application/json");
    CHECK_FALSE(reply.head.headers.contains("retry-after"));
    CHECK_FALSE(reply.head.headers.contains("www-authenticate"));
}

TEST_CASE("only who is not known is asked to say who it is") {
    CHECK(make_error_reply(error{error_kind::unauthorized}).head.headers.find("www-authenticate") == "Bearer");
    CHECK_FALSE(make_error_reply(error{error_kind::forbidden}).head.headers.contains("www-authenticate"));
}

TEST_CASE("Retry-After is in whole seconds, never too early") {
    const auto wait = [](error_kind kind, std::chrono::milliseconds ms) {
        error e{kind};
        e.retry_after = ms;
        return std::string(make_error_reply(e).head.headers.find("retry-after").value_or("none"));
    };
    CHECK(wait(error_kind::rate_limited, 1ms) == "1");
    CHECK(wait(error_kind::rate_limited, 1000ms) == "1");
    CHECK(wait(error_kind::rate_limited, 1001ms) == "2");
    CHECK(wait(error_kind::rate_limited, 0ms) == "none");
    CHECK(wait(error_kind::overloaded, 0ms) == "1");
    CHECK(wait(error_kind::draining, 0ms) == "1");
    CHECK(wait(error_kind::overloaded, 5000ms) == "5");
}

TEST_CASE("Anthropic's SDKs learn that no conversation is kept here") {
    const auto body = [](const error& e) { return make_error_reply(e, error_shape::anthropic).body; };
    CHECK(body(error{error_kind::bad_request, "No.", "thread"}) ==
          R"({"type":"error","error":{"type":"invalid_request_error","message":"No.",)"
          R"("details":{"error_code":"thread_unsupported_request","unsupported":["thread"]}}})");
    CHECK(body(error{error_kind::bad_request, "No.", "tools"}) ==
          R"({"type":"error","error":{"type":"invalid_request_error","message":"No."}})");
}

TEST_CASE("an upstream's own error passes as it came") {
    error e{error_kind::upstream_status, "The upstream answered with status 418."};
    auto failure = std::make_shared<upstream_failure>();
    failure->status = 418;
    failure->content_type = "text/plain";
    failure->body = "I'm a teapot";
    e.upstream = failure;
    const error_reply reply = make_error_reply(e);
    CHECK(reply.head.status == 418);
    CHECK(reply.body == "I'm a teapot");
    CHECK(reply.head.headers.find("content-type") == "text/plain");
    CHECK(reply.head.content_length == 12);
}

TEST_CASE("an upstream's error whose text was not kept is told in ours, with its status") {
    error e{error_kind::upstream_status, "The upstream answered with status 503."};
    auto failure = std::make_shared<upstream_failure>();
    failure->status = 503;
    failure->content_type = "text/html";
    e.upstream = failure;
    const error_reply reply = make_error_reply(e);
    CHECK(reply.head.status == 503);
    CHECK(reply.head.headers.find("content-type") == "application/json");
    CHECK(reply.body == openai_error_body(e));
}

TEST_CASE("inside a stream an error is one event") {
    const error e{error_kind::upstream_idle_timeout, "two\nlines"};
    const std::string event = make_error_event(e);
    CHECK(event == "data: " + openai_error_body(e) + "\n\n");
    CHECK(event.find('\n') == event.size() - 2);
}
