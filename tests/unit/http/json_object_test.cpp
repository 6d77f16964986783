#include <catch2/catch.hpp>

#include <sluice/json.hpp>

#include <simdjson.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <sstream>

using namespace sluice;

namespace {

bool valid(std::string_view text) {
    return validate_json(text).has_value();
}

bool parses(std::string_view text) {
    return json_object::parse(text).has_value();
}

bool oracle(const std::string& text) {
    static simdjson::dom::parser parser;
    return parser.parse(text).error() == simdjson::SUCCESS;
}

std::string read_file(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

std::string nested(int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']');
}

// Random JSON with all kinds of values; never a big integer, never deeper than 6.
class generator {
public:
    explicit generator(unsigned seed) : random_(seed) {}

    std::string value(int depth = 0) {
        switch (below(depth > 5 ? 5 : 7)) {
            case 0:
                return "null";
            case 1:
                return below(2) ? "true" : "false";
            case 2:
                return std::vector<std::string>{"0", "-0", "12", "-3.25", "1e5", "0.5E-3", "1e-400"}[below(7)];
            case 3:
            case 4:
                return string();
            case 5:
                return list('[', ']', depth, false);
            default:
                return list('{', '}', depth, true);
        }
    }

    std::string string() {
        static const std::vector<std::string> bits = {"a",
                                                      "model",
                                                      " ",
                                                      "\\n",
                                                      "\\\"",
                                                      "\\\\",
                                                      "\\u00e9",
                                                      "\\ud83d\\ude00",
                                                      "é",
                                                      "你好",
                                                      "\U0001f600",
                                                      "/",
                                                      "\x7f",
                                                      "0123456789abcdefghij",
                                                      "\\/",
                                                      "\\t",
                                                      "0123456789012345678901234567890123456789"};
        std::string s = "\"";
        for (std::size_t n = below(6); n > 0; --n) s += bits[below(bits.size())];
        return s + "\"";
    }

    std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>{0, n - 1}(random_); }

private:
    std::string space() { return below(4) == 0 ? std::vector<std::string>{" ", "\n", "\t\r"}[below(3)] : ""; }

    std::string list(char open, char close, int depth, bool object) {
        std::string s = open + space();
        const std::size_t n = below(5);
        for (std::size_t i = 0; i < n; ++i) {
            if (i > 0) s += "," + space();
            if (object) s += "\"k" + std::to_string(i) + "\"" + space() + ":" + space();
            s += value(depth + 1) + space();
        }
        return s + close;
    }

    std::mt19937 random_;
};

// Every step stands in memory of its own, of exactly its size: what still pointed into an older one is seen.
void same_in_steps(const std::string& text, const std::vector<std::size_t>& steps) {
    json_reader reader;
    for (const std::size_t n : steps) {
        const std::vector<char> block(text.begin(),
                                      text.begin() + static_cast<std::ptrdiff_t>(std::min(n, text.size())));
        reader.advance({block.data(), block.size()});
    }
    const auto whole = json_object::parse(text);
    const auto stepped = reader.finish(text);
    INFO(text);
    REQUIRE(stepped.has_value() == whole.has_value());
    if (!whole) {
        REQUIRE(stepped.error().message == whole.error().message);
        REQUIRE(stepped.error().param == whole.error().param);
        return;
    }
    REQUIRE(stepped->text().data() == text.data());
    REQUIRE(stepped->members().size() == whole->members().size());
    for (std::size_t i = 0; i < whole->members().size(); ++i) {
        const json_member &a = stepped->members()[i], &b = whole->members()[i];
        REQUIRE(a.key.data() == b.key.data());
        REQUIRE(a.key.size() == b.key.size());
        REQUIRE(a.key_escaped == b.key_escaped);
        REQUIRE(a.value.type == b.value.type);
        REQUIRE(a.value.raw.data() == b.value.raw.data());
        REQUIRE(a.value.raw.size() == b.value.raw.size());
        REQUIRE(std::pair(a.begin, a.end) == std::pair(b.begin, b.end));
    }
}

}  // namespace

TEST_CASE("members of an object are found by name and keep their bytes") {
    const std::string text = R"( {"model" : "gpt-4o", "n":12345678901234567890123, "a":[1,{"model":2}],"s":"x\ny"} )";
    const auto o = json_object::parse(text);
    REQUIRE(o.has_value());
    REQUIRE(o->members().size() == 4);
    CHECK(o->find("model")->string() == "gpt-4o");
    CHECK(o->find("n")->raw == "12345678901234567890123");
    CHECK_FALSE(o->find("n")->integer());
    CHECK(o->find("n")->number() == Approx(1.2345678901234568e22));
    CHECK(o->find("a")->raw == R"([1,{"model":2}])");
    CHECK(o->find("s")->string() == "x\ny");
    CHECK_FALSE(o->find("absent"));
    const json_member& m = *o->member("n");
    CHECK(text.substr(m.begin, m.end - m.begin) == R"("n":12345678901234567890123)");
}

TEST_CASE("values read as their own type only") {
    const auto o = json_object::parse(
        R"({"i":-7,"f":1.5,"e":1e3,"b":true,"n":null,"z":2.0,"min":-9223372036854775808,"over":9223372036854775808,"t":1e-999})");
    REQUIRE(o.has_value());
    CHECK(o->find("i")->integer() == -7);
    CHECK(o->find("i")->number() == -7.0);
    CHECK_FALSE(o->find("i")->string());
    CHECK_FALSE(o->find("i")->boolean());
    CHECK_FALSE(o->find("f")->integer());
    CHECK(o->find("f")->number() == 1.5);
    CHECK(o->find("e")->integer() == 1000);
    CHECK(o->find("z")->integer() == 2);
    CHECK(o->find("b")->boolean() == true);
    CHECK_FALSE(o->find("b")->integer());
    CHECK(o->find("n")->type == json_type::null);
    CHECK(o->find("min")->integer() == INT64_MIN);
    CHECK_FALSE(o->find("over")->integer());
    CHECK(o->find("t")->number() == 0.0);
}

TEST_CASE("strings are unescaped, surrogate pairs included") {
    const auto o = json_object::parse(R"({"s":"\"\\\/\b\f\n\r\t\u0041\u00e9\u4f60\ud83d\ude00\u0000."})");
    REQUIRE(o.has_value());
    CHECK(o->find("s")->string() == std::string("\"\\/\b\f\n\r\tA\xc3\xa9\xe4\xbd\xa0\xf0\x9f\x98\x80\0.", 20));
}

TEST_CASE("duplicate keys are refused, however they are written") {
    const std::string text = R"({"model":"a","x":1,"mod\u0065l":"b"})";
    const auto o = json_object::parse(text);
    REQUIRE_FALSE(o.has_value());
    CHECK(o.error().kind == error_kind::bad_request);
    CHECK(o.error().message == "invalid JSON at byte 19: a key that the object already has");
    CHECK_FALSE(parses(R"({"":1,"":2})"));
    CHECK_FALSE(parses(R"({"\u0061":1,"\u0061":2})"));
    CHECK(parses(R"({"a":{"b":1,"b":2}})"));  // not decided on: not looked at

    std::string many = "{";
    for (int i = 0; i < 1000; ++i) many += "\"k" + std::to_string(i) + "\":0,";
    CHECK(parses(many + "\"last\":1}"));
    CHECK_FALSE(parses(many + "\"k500\":1}"));
}

TEST_CASE("a key written with escapes is still found by its name") {
    const auto o = json_object::parse(R"({"mod\u0065l":"b"})");
    REQUIRE(o.has_value());
    CHECK(o->find("model")->string() == "b");
}

TEST_CASE("an inner object is indexed with offsets of its own") {
    const std::string text = R"({"o": { "a" : [1, 2] , "b\n":{"c":"}"},"d":-1 }, "dup":{"x":1,"x":2}, "e":{}})";
    const auto outer = json_object::parse(text);
    REQUIRE(outer.has_value());
    const auto o = json_object::inside(*outer->find("o"));
    REQUIRE(o.has_value());
    REQUIRE(o->members().size() == 3);
    CHECK(o->find("a")->raw == "[1, 2]");
    CHECK(o->find("b\n")->raw == R"({"c":"}"})");
    CHECK(o->find("d")->integer() == -1);
    CHECK(o->text().substr(o->members()[2].begin, o->members()[2].end - o->members()[2].begin) == "\"d\":-1");
    CHECK_FALSE(json_object::inside(*outer->find("dup")).has_value());
    CHECK(json_object::inside(*outer->find("e"))->members().empty());
    CHECK_FALSE(json_object::inside(*o->find("a")).has_value());
}

TEST_CASE("elements of an array come in order") {
    const auto o = json_object::parse(R"({"a":[ 1 ,"x,]", [2,[3]],{"b":[]}, null,true ],"e":[ ]})");
    REQUIRE(o.has_value());
    std::vector<std::string_view> raw;
    for (const json_value& v : json_elements(*o->find("a"))) raw.push_back(v.raw);
    CHECK(raw == std::vector<std::string_view>{"1", "\"x,]\"", "[2,[3]]", "{\"b\":[]}", "null", "true"});
    CHECK(json_elements(*o->find("e")).empty());
    CHECK(json_elements(json_value{}).empty());
}

TEST_CASE("errors name the byte, the reason and the place") {
    struct row {
        std::string text, message, param;
    };
    for (const row& r : std::vector<row>{
             {R"({"a":1,})", "invalid JSON at byte 7: expected a key in double quotes", ""},
             {R"({"a":{"b/c":[1,2,x]}})", "invalid JSON at byte 17: expected a value", "/a/b~1c/2"},
             {R"({"m":[{"content":"a)"
              "\x01"
              R"("}]})",
              "invalid JSON at byte 19: a control character in a string must be escaped", "/m/0/content"},
             {R"({"a":1e400})", "invalid JSON at byte 5: the number is out of the range of a double", "/a"},
             {R"({"a":01})", "invalid JSON at byte 6: a number may not begin with 0", "/a"},
             {R"({"a":"\ud800"})", "invalid JSON at byte 6: half of a surrogate pair", "/a"},
             {"{\"a\":\"xy\xff\"}", "invalid JSON at byte 8: not valid UTF-8", "/a"},
             {"{\"a\":1} x", "invalid JSON at byte 8: unexpected text behind the JSON value", ""},
             {"\xef\xbb\xbf{}", "invalid JSON at byte 0: a byte order mark is not allowed", ""},
             {std::string("{\"a\":\0}", 7), "invalid JSON at byte 5: a NUL byte", "/a"},
             {"", "invalid JSON at byte 0: the text ends where a value is expected", ""},
             {"[1]", "expected a JSON object, not an array", ""},
             {" \"x\"", "expected a JSON object, not a string", ""}}) {
        const auto o = json_object::parse(r.text);
        REQUIRE_FALSE(o.has_value());
        CHECK(o.error().message == r.message);
        CHECK(o.error().param == r.param);
    }
}

TEST_CASE("nesting ends at 64 levels and costs no stack") {
    CHECK(valid(nested(64)));
    const auto deeper = validate_json(nested(65));
    REQUIRE_FALSE(deeper.has_value());
    CHECK(deeper.error().message == "invalid JSON at byte 64: nested deeper than 64 levels");
    CHECK_FALSE(valid(std::string(10'000'000, '[')));
    std::string mixed;
    for (int i = 0; i < 32; ++i) mixed += "[{\"k\":";
    std::string closed = mixed + "1";
    for (int i = 0; i < 32; ++i) closed += "}]";
    CHECK(valid(closed));
    CHECK_FALSE(valid(mixed + "1}]]"));
}

TEST_CASE("numbers at the edge of a double") {
    CHECK(valid("1.7976931348623157e308"));
    CHECK_FALSE(valid("1.7976931348623159e308"));
    CHECK_FALSE(valid("17976931348623159e292"));
    CHECK(valid("0.00017976931348623157e312"));
    CHECK_FALSE(valid("-1e309"));
    CHECK(valid("0e99999999999999999999"));
    CHECK(valid("1e-99999999999999999999"));
    CHECK_FALSE(valid("1e99999999999999999999"));
    CHECK(valid("1" + std::string(308, '0')));
    CHECK_FALSE(valid("1" + std::string(309, '0')));
    CHECK(valid("0." + std::string(400, '0') + "1e401"));
}

TEST_CASE("special bytes are seen at every place of a string") {
    // Every offset and length crosses the 16, 32 and 64 byte blocks in every way.
    for (std::size_t size = 1; size < 200; ++size) {
        for (const std::string& bad :
             {std::string("\x01"), std::string("\x1f"), std::string("\xff"), std::string("\\x")}) {
            const std::size_t at = (size * 7) % size + size / 2;
            std::string inside(size, 'a');
            inside.insert(std::min(at, size), bad);
            CHECK_FALSE(valid("\"" + inside + "\""));
            CHECK_FALSE(valid("\"" + inside + std::string(100, 'b') + "\""));
        }
        const std::string good = "\"" + std::string(size, 'a') + "é\\n\"";
        CHECK(valid(good));
        CHECK_FALSE(valid(good.substr(0, good.size() - 1)));
        for (std::size_t at = 1; at <= size; ++at) {
            std::string inside(size, 'a');
            inside[at - 1] = '\x80';
            if (valid("\"" + inside + "\"")) FAIL("byte 0x80 at " << at << " of " << size);
            inside[at - 1] = '"';
            if (valid("\"" + inside + "\"")) FAIL("quote at " << at << " of " << size);
        }
    }
}

TEST_CASE("generated texts are accepted, and broken ones judged as simdjson judges them") {
    generator g(1);
    std::mt19937 random(2);
    for (int i = 0; i < 3000; ++i) {
        std::string text = g.value();
        if (!valid(text)) FAIL(text);
        if (!oracle(text)) FAIL("oracle: " << text);
        // Breaks one byte, most often into something that is no longer JSON.
        const std::string alphabet = "\"\\{}[],:0-e.+u\x01\x80\xe4 ntf/";
        text[random() % text.size()] = alphabet[random() % alphabet.size()];
        const bool ours = (valid(text));
        if (ours != oracle(text)) {
            // Numbers above 64 bits are fine here and refused there; nothing else may differ.
            INFO(text);
            CHECK(ours);
            CHECK(text.find_first_of("0123456789") != std::string::npos);
        }
    }
}

TEST_CASE("every prefix of a text is refused") {
    const std::string text = R"({"a":[1.5e3,{"b":"x\u0041"}],"c":true,"d":null,"e":"é"})";
    REQUIRE(parses(text));
    for (std::size_t n = 0; n < text.size(); ++n) CHECK_FALSE(parses(text.substr(0, n)));
}

TEST_CASE("a text that arrives in steps is judged as one that came at once") {
    const std::string words(200, 'w');
    const std::string text = R"( {"model":"m","k\u0065y":[1.5e3,-12,{"b":"x\u0041\ud83d\ude00"}],"text":")" + words +
                             R"(\n\"é\\","":{},"t":true,"z":null,"e":[],"n":12.5} )";
    REQUIRE(parses(text));
    for (std::size_t a = 0; a <= text.size(); ++a) {
        same_in_steps(text, {a});
        same_in_steps(text, {a, a + 1, a + 70});
        same_in_steps(text.substr(0, a), {a / 2, a});
        std::string broken = text;
        broken[std::min(a, text.size() - 1)] = '\x01';
        same_in_steps(broken, {a / 2, a, a + 1, a + 2});
    }
}

TEST_CASE("any text in any steps is judged as one that came at once") {
    generator g(3);
    std::mt19937 random(4);
    for (int i = 0; i < 3000; ++i) {
        std::string text = "{\"a\":" + g.value() + ",\"b\":" + g.value() + ",\"" + g.string().substr(1) + ":1}";
        const std::string alphabet = "\"\\{}[],:0-e.+u\x01\x80\xe4 ntf/";
        if (g.below(2) == 0) text[random() % text.size()] = alphabet[random() % alphabet.size()];
        std::vector<std::size_t> steps(g.below(8));
        for (std::size_t& step : steps) step = g.below(text.size() + 1);
        std::sort(steps.begin(), steps.end());
        same_in_steps(text, steps);
    }
}

TEST_CASE("the JSON test suite is judged as it asks") {
    const std::filesystem::path folder = std::filesystem::path(SLUICE_SHARED_DATA) / "json";
    if (!std::filesystem::exists(folder)) {
        WARN("skipped: no JSON test suite in " << folder);
        return;
    }
    // Texts on which readers may differ. Accepted here and refused by simdjson: big integers. The other way
    // round: nesting above 64.
    const std::set<std::string> accepted_here = {"i_number_too_big_neg_int.json", "i_number_too_big_pos_int.json",
                                                 "i_number_very_big_negative_int.json"};
    int seen = 0;
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
        const std::string name = file.path().filename().string();
        const std::string text = read_file(file.path());
        const bool ours = (valid(text));
        INFO(name);
        ++seen;
        if (name.starts_with("y_")) CHECK(ours);
        if (name.starts_with("n_")) CHECK_FALSE(ours);
        const bool differs = accepted_here.contains(name) || name == "i_structure_500_nested_arrays.json";
        CHECK(ours == (accepted_here.contains(name) || (oracle(text) && !differs)));

        const auto o = json_object::parse(text);
        const bool object =
            text.find_first_not_of(" \t\r\n") != std::string::npos && text[text.find_first_not_of(" \t\r\n")] == '{';
        const bool duplicate = name.starts_with("y_object_duplicated_key");
        CHECK(o.has_value() == (ours && object && !duplicate));
        if (ours && !object) CHECK(o.error().message.starts_with("expected a JSON object"));
    }
    CHECK(seen > 300);
}

TEST_CASE("an object with too many members is refused") {
    std::string text = "{";
    for (int i = 0; i < 65'537; ++i) text += "\"" + std::to_string(i) + "\":0,";
    text.back() = '}';
    CHECK_FALSE(parses(text));
    CHECK(valid(text));
}
