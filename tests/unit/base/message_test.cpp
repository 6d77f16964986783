#include <catch2/catch.hpp>

#include <sluice/message.hpp>

#include <string>

using namespace sluice;
using namespace std::literals;

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

TEST_CASE("a field cannot hold what would split a head") {
    header_list h;
    h.add("X\r\nY: ", "a\r\nb\0c\x7f\td\xc3"s);
    h.add("", "nameless");
    REQUIRE(h.size() == 1);
    CHECK(h[0].name == "X__Y__");
    CHECK(h[0].value == "a  b c \td\xc3");
}

TEST_CASE("a field may be made of another one's text") {
    header_list h;
    h.add("A", std::string(40, 'v'));
    for (int i = 0; i < 100; ++i) h.add(h[0].name, h[h.size() - 1].value);
    h.set("B", *h.find("a"));
    h.set("A", *h.find("a"));
    CHECK(h.size() == 2);
    CHECK(h.find("a") == std::string(40, 'v'));
    CHECK(h.find("b") == std::string(40, 'v'));
}

TEST_CASE("fields can be named by their place in a block that was copied at once") {
    header_list h;
    h.add("Old", "1");
    h.adopt("Name: value\r\nOther:x\r\n");
    CHECK(h.empty());
    h.place(0, 4, 6, 5);
    h.place(13, 5, 19, 1);
    h.add("Third", "3");
    CHECK(h.size() == 3);
    CHECK(h.find("name") == "value");
    CHECK(h[1].name == "Other");
    CHECK(h[1].value == "x");
    CHECK(h.find("third") == "3");
}

TEST_CASE("fields can be removed by what they are, and the others' views stay") {
    header_list h;
    h.add("A", "1");
    h.add("B", "2");
    h.add("C", "1");
    const auto kept = h[1].value;
    h.remove_if([](const header_list::field& f) { return f.value == "1"; });
    CHECK(h.size() == 1);
    CHECK(kept == "2");
    CHECK(kept.data() == h[0].value.data());
}
