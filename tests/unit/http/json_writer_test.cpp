#include "http/json_writer.hpp"

#include <catch2/catch.hpp>

#include <limits>

using namespace sluice;
using http::json_writer;

TEST_CASE("written JSON has its commas where they belong") {
    std::string out = "data: ";
    json_writer w(out);
    w.begin_object().key("a").integer(-1).key("b").begin_array().integer(1).string("x").begin_object().end_object();
    w.null()
        .end_array()
        .key("c")
        .boolean(true)
        .key("d")
        .raw("{\"e\":[]}")
        .key("f")
        .begin_array()
        .end_array()
        .end_object();
    CHECK(out == R"(data: {"a":-1,"b":[1,"x",{},null],"c":true,"d":{"e":[]},"f":[]})");
}

TEST_CASE("numbers are written so that they read back") {
    std::string out;
    json_writer w(out);
    w.begin_array().number(0.1).number(1e300).number(3).number(std::numeric_limits<double>::infinity());
    w.number(std::numeric_limits<double>::quiet_NaN()).integer(INT64_MIN).end_array();
    CHECK(out == "[0.1,1e+300,3,null,null,-9223372036854775808]");
    CHECK(validate_json(out).has_value());
}

TEST_CASE("any bytes become a valid JSON string") {
    CHECK(to_json_string("a\"\\/\n\r\t\x01\x1f\x7f é 你") == "\"a\\\"\\\\/\\n\\r\\t\\u0001\\u001f\x7f é 你\"");
    CHECK(to_json_string(std::string_view{"\0", 1}) == "\"\\u0000\"");
    CHECK(to_json_string("") == "\"\"");
    CHECK(to_json_string("ok \xff\xe4\xbd.") == "\"ok \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd.\"");
    for (int c = 0; c < 256; ++c) {
        const std::string text = std::string(40, 'x') + static_cast<char>(c) + "tail";
        const std::string json = to_json_string(text);
        CHECK(validate_json(json).has_value());
        if (c < 0x80) CHECK(json_value{json_type::string, json}.string() == text);
    }
}
