#include "base/ids.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace sluice;

TEST_CASE("identifiers are written in lower case with leading zeros and read back") {
    const trace_id id{0x0af7651916cd43dd, 0x00000000000000ab};
    CHECK(to_hex(id) == "0af7651916cd43dd00000000000000ab");
    CHECK(parse_trace_id(to_hex(id)) == id);
    CHECK(to_hex(span_id{0xb7}) == "00000000000000b7");
    CHECK(parse_span_id("00000000000000b7") == span_id{0xb7});
}

TEST_CASE("bytes are written as two digits each") {
    CHECK(to_hex(std::string_view{}).empty());
    CHECK(to_hex(std::string_view("\x00\x7f\xff\x0a", 4)) == "007fff0a");
}

TEST_CASE("what is not lower case hexadecimal of the right length is no identifier") {
    CHECK_FALSE(parse_span_id("00000000000000B7"));
    CHECK_FALSE(parse_span_id("0000000000000b7"));
    CHECK_FALSE(parse_span_id("00000000000000b7a"));
    CHECK_FALSE(parse_trace_id("0af7651916cd43dd 0000000000000ab"));
    CHECK_FALSE(parse_lower_hex(""));
    CHECK_FALSE(parse_lower_hex("12345678901234567"));
    CHECK(parse_lower_hex("ffffffffffffffff") == 0xffffffffffffffff);
}

TEST_CASE("new identifiers are valid and differ") {
    random_source r{42};
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        CHECK(new_trace_id(r).valid());
        CHECK(new_span_id(r).valid());
        seen.insert(new_request_id(r));
    }
    CHECK(seen.size() == 1000);
    CHECK(seen.begin()->size() == 32);
}

TEST_CASE("a client's request id is taken over only when it is short and plain") {
    CHECK(acceptable_request_id("team-a:7f/x@y+z_1.2"));
    CHECK_FALSE(acceptable_request_id(""));
    CHECK_FALSE(acceptable_request_id(std::string(129, 'a')));
    CHECK(acceptable_request_id(std::string(128, 'a')));
    for (const char* bad : {"a b", "a\r\nX: 1", "a\"b", "a\x1b[2J", "\xc3\xa9", "a%0d"}) {
        CHECK_FALSE(acceptable_request_id(bad));
    }
}
