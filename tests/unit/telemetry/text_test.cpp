#include "telemetry/text.hpp"

#include <catch2/catch.hpp>

#include <simdjson.h>

using namespace sluice::telemetry;

namespace {

std::string json(std::string_view text, std::size_t bytes_max = 1024) {
    std::string out;
    append_json(out, text, bytes_max);
    return out;
}

// The string that a JSON reader makes of it.
std::string read_back(std::string_view text) {
    simdjson::dom::parser parser;
    const std::string document = "[" + json(text) + "]";
    return std::string{std::string_view{parser.parse(document).at(0)}};
}

}  // namespace

TEST_CASE("ordinary text stands in JSON as it is") {
    CHECK(json("") == "\"\"");
    CHECK(json("caf\xc3\xa9 \xf0\x9f\x98\x80") == "\"caf\xc3\xa9 \xf0\x9f\x98\x80\"");
    CHECK(json("a\"b\\c") == "\"a\\\"b\\\\c\"");
}

TEST_CASE("every byte comes back from JSON, alone and between letters") {
    for (int c = 0; c < 128; ++c) {
        const std::string text{'a', static_cast<char>(c), 'b'};
        CHECK(read_back(text) == text);
    }
}

TEST_CASE("what steers a terminal or ends a line is escaped") {
    CHECK(json("\x1b[31m\n\r\t") == "\"\\u001b[31m\\n\\r\\t\"");
    CHECK(json("\x7f") == "\"\\u007f\"");
    CHECK(json("\xc2\x9b") == "\"\\u009b\"");      // CSI as a C1 control
    CHECK(json("\xe2\x80\xa8") == "\"\\u2028\"");  // line separator
    CHECK(json("\xe2\x80\xae") == "\"\\u202e\"");  // right-to-left override
    CHECK(json("\xe2\x81\xa6") == "\"\\u2066\"");
    CHECK(read_back("\xe2\x80\xae") == "\xe2\x80\xae");
}

TEST_CASE("bytes that are not UTF-8 become the replacement character") {
    const std::string r = "\xef\xbf\xbd";
    CHECK(json("a\xff") == "\"a" + r + "\"");
    CHECK(json("\xc0\xaf") == "\"" + r + r + "\"");                  // overlong
    CHECK(json("\xed\xa0\x80") == "\"" + r + r + r + "\"");          // surrogate
    CHECK(json("\xf4\x90\x80\x80") == "\"" + r + r + r + r + "\"");  // above U+10FFFF
    CHECK(json("\xe2\x82") == "\"" + r + r + "\"");                  // cut off
    CHECK(valid_utf8("x\xc3(\xc3\xa9") == "x" + r + "(\xc3\xa9");
}

TEST_CASE("a long text is cut and says so") {
    CHECK(json("abcdef", 3) == "\"abc\xe2\x80\xa6\"");
    CHECK(json("a\xc3\xa9", 2) == "\"a\xef\xbf\xbd\xe2\x80\xa6\"");
}

TEST_CASE("plain text keeps its quotes and stays on one line") {
    std::string out;
    append_plain(out, "say \"x\"\nC:\\\x1b");
    CHECK(out == "say \"x\"\\nC:\\\\\\u001b");
}

TEST_CASE("what looks like a credential is not shown") {
    CHECK(redact("key sk-proj-abcdefghijklmnop.") == "key sk-***");
    CHECK(redact("Authorization: Bearer abcdefghijklmnop123==") == "Authorization: Bearer ***");
    CHECK(redact("?key=AIzaSyA1234567890abcdef&x=1") == "?key=AIza***&x=1");
    CHECK(redact("{\"k\":\"sk-abcdefghijklmnop\"}") == "{\"k\":\"sk-***\"}");
    CHECK(redact("two sk-aaaaaaaaaaaaaaaa sk-bbbbbbbbbbbbbbbb") == "two sk-*** sk-***");
    CHECK(redact("task-oriented-processing sk-short") == "task-oriented-processing sk-short");
    CHECK(redact("") == "");
}
