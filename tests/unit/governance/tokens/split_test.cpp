#include "governance/tokens/split.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <random>
#include <string>
#include <vector>

using namespace sluice::tokens;
using pieces = std::vector<std::string>;

namespace {

pieces split(encoding e, std::string_view text) {
    splitter s{e, text};
    pieces all;
    while (!s.done()) all.emplace_back(s.next());
    return all;
}

pieces o200k(std::string_view text) {
    return split(encoding::o200k_base, text);
}
pieces cl100k(std::string_view text) {
    return split(encoding::cl100k_base, text);
}

}  // namespace

TEST_CASE("Words keep the blank before them, numbers come in threes, punctuation in runs") {
    const pieces want{"Hello", " world", "!!", " ", "123", "45", " ", "7", " (", "ok", ")."};
    CHECK(o200k("Hello world!! 12345 7 (ok).") == want);
    CHECK(cl100k("Hello world!! 12345 7 (ok).") == want);
}

TEST_CASE("An empty text has no pieces") {
    CHECK(o200k("").empty());
    CHECK(cl100k("").empty());
}

TEST_CASE("A contraction belongs to its word in o200k_base and stands alone in cl100k_base") {
    CHECK(o200k("don't I'LL we'Ve") == pieces{"don't", " I'LL", " we'Ve"});
    CHECK(cl100k("don't I'LL we'Ve") == pieces{"don", "'t", " I", "'LL", " we", "'Ve"});
    CHECK(o200k("rock'n") == pieces{"rock", "'n"});
    CHECK(o200k("it's's") == pieces{"it's", "'s"});
    CHECK(cl100k("'sit") == pieces{"'s", "it"});
}

TEST_CASE("The long s is an s where case is ignored") {
    CHECK(o200k("it'\u017F") == pieces{"it'\u017F"});
    CHECK(cl100k("it'\u017Fx") == pieces{"it", "'\u017F", "x"});
}

TEST_CASE("Words are cut where capitals begin in o200k_base, and not in cl100k_base") {
    CHECK(o200k("camelCaseHTTPServer") == pieces{"camel", "Case", "HTTPServer"});
    CHECK(cl100k("camelCaseHTTPServer") == pieces{"camelCaseHTTPServer"});
    CHECK(o200k("\u01C5ur") == pieces{"\u01C5ur"});  // a title case letter
}

TEST_CASE("Letters without case end a word before capitals") {
    CHECK(o200k("\u4E2D\u6587AB") == pieces{"\u4E2D\u6587", "AB"});
    CHECK(o200k("A\u4E2DB\u6587CD") == pieces{"A\u4E2DB\u6587", "CD"});
    CHECK(o200k("AB\u4E2Dcd") == pieces{"AB\u4E2Dcd"});
    CHECK(cl100k("\u4E2D\u6587AB") == pieces{"\u4E2D\u6587"
                                             "AB"});
}

TEST_CASE("A mark is part of a word in o200k_base and a symbol that may lead one in cl100k_base") {
    CHECK(o200k("e\u0301te\u0301") == pieces{"e\u0301te\u0301"});
    CHECK(cl100k("e\u0301te\u0301") == pieces{"e", "\u0301te", "\u0301"});
    CHECK(o200k("\u0301AB") == pieces{"\u0301", "AB"});
}

TEST_CASE("One character that is neither letter, number nor line end may lead a word") {
    for (const auto& cut : {o200k, cl100k}) {
        CHECK(cut("\tfoo(bar$$baz") == pieces{"\tfoo", "(bar", "$$", "baz"});
        CHECK(cut("\nfoo") == pieces{"\n", "foo"});
        CHECK(cut("\u00A0foo") == pieces{"\u00A0foo"});
    }
}

TEST_CASE("Line ends join the punctuation before them, slashes only in o200k_base") {
    CHECK(o200k("a;\r\n//x") == pieces{"a", ";\r\n//", "x"});
    CHECK(cl100k("a;\r\n//x") == pieces{"a", ";\r\n", "//", "x"});
}

TEST_CASE("White space is cut behind its last line end, and leaves a blank to the next word") {
    for (const auto& cut : {o200k, cl100k}) {
        CHECK(cut("a  \n \n   b") == pieces{"a", "  \n \n", "  ", " b"});
        CHECK(cut("a   b") == pieces{"a", "  ", " b"});
        CHECK(cut("a\u3000\u3000"
                  "1") == pieces{"a", "\u3000", "\u3000", "1"});
        CHECK(cut("a   ") == pieces{"a", "   "});
    }
}

TEST_CASE("White space at the very end stays whole in cl100k_base only") {
    CHECK(o200k("a\n  ") == pieces{"a", "\n", "  "});
    CHECK(cl100k("a\n  ") == pieces{"a", "\n  "});
}

TEST_CASE("Numbers of all scripts are numbers") {
    CHECK(o200k("\u0661\u0662\u0663\u0664\u00BD") == pieces{"\u0661\u0662\u0663", "\u0664\u00BD"});
}

TEST_CASE("Bytes that are no UTF-8 are symbols") {
    // Lone tail, overlong, surrogate, above U+10FFFF, cut off.
    for (const std::string bad :
         {"\x80", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF0\x9F\x98"}) {
        CHECK(o200k("1" + bad) == pieces{"1", bad});
        CHECK(cl100k("1" + bad + "2") == pieces{"1", bad, "2"});
    }
}

TEST_CASE("The pieces of any bytes are never empty and join to the text") {
    std::mt19937 random{20240513};
    const std::string_view often = " \r\n'sStT/aA1.\xC3\xA9\xE4\xB8\xAD\xCC\x81\xF0\x9F\x98\x80";
    for (int round = 0; round < 2000; ++round) {
        std::string text;
        for (auto left = random() % 40; left > 0; --left)
            text += random() % 4 == 0 ? static_cast<char>(random()) : often[random() % often.size()];
        for (const auto& cut : {o200k, cl100k}) {
            std::string joined;
            for (const auto& piece : cut(text)) {
                REQUIRE(!piece.empty());
                joined += piece;
            }
            REQUIRE(joined == text);
        }
    }
}
