#include <catch2/catch.hpp>

#include <sluice/message.hpp>

using namespace sluice;

TEST_CASE("header fields are found without case and keep their order") {
    header_list h;
    h.add("Content-Type", "application/json");
    h.add("X-A", "1");
    h.add("x-a", "2");
    CHECK(h.find("content-type") == "application/json");
    CHECK(h.find("X-a") == "1");
    CHECK(h.count("x-A") == 2);
    CHECK_FALSE(h.find("x-b"));
    CHECK(h[2].value == "2");
}

TEST_CASE("setting a field replaces every field of that name") {
    header_list h;
    h.add("X-A", "1");
    h.add("Y", "2");
    h.add("x-a", "3");
    h.set("X-A", "4");
    CHECK(h.size() == 2);
    CHECK(h.find("x-a") == "4");
    h.remove("y");
    CHECK(h.size() == 1);
}

TEST_CASE("a target falls into path and query") {
    request_head r;
    r.target = "/v1/models?limit=2&x=?";
    CHECK(r.path() == "/v1/models");
    CHECK(r.query() == "limit=2&x=?");
    r.target = "/v1";
    CHECK(r.query().empty());
}

TEST_CASE("values that could split a header are recognised") {
    CHECK(valid_header_value("a\tb \xc3\xa9"));
    CHECK_FALSE(valid_header_value("a\r\nb"));
    CHECK_FALSE(valid_header_value(std::string_view{"a\0b", 3}));
    CHECK(valid_header_name("x-request-id"));
    CHECK_FALSE(valid_header_name("x y"));
    CHECK_FALSE(valid_header_name(""));
}

TEST_CASE("a content type compares without its parameters") {
    response_head r;
    r.headers.add("Content-Type", "Text/Event-Stream ; charset=utf-8");
    CHECK(r.has_content_type("text/event-stream"));
    CHECK_FALSE(r.has_content_type("text/plain"));
}
