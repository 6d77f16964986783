#include <catch2/catch.hpp>

#include "unit/config/support.hpp"

using namespace sluice::config;
using namespace sluice::config::testing;

namespace {

lines parse(std::string_view yaml) {
    problem_list problems;
    document::parse(yaml, "g.yaml", problems);
    return printed(problems);
}

// [[x]] with `depth` brackets.
std::string nested(std::size_t depth) {
    return "a: " + std::string(depth, '[') + std::string(depth, ']');
}

}  // namespace

TEST_CASE("a tree knows where each key and value stands") {
    problem_list problems;
    const auto d = document::parse(
        "# first\nlisteners:\n  - {address: \"0.0.0.0:80\"}\nn\xC3\xA4me: \xC3\xA4 # x\nq: 'on'\n", "g.yaml", problems);
    REQUIRE(problems.empty());
    REQUIRE(d.complete);
    const member* listeners = d.root->find("listeners");
    REQUIRE(listeners != nullptr);
    CHECK(to_string(listeners->key_at) == "g.yaml:2:1");
    CHECK(listeners->value->kind == node_kind::list);
    const node& item = *listeners->value->items.at(0);
    CHECK(to_string(item.at) == "g.yaml:3:5");
    CHECK(to_string(item.find("address")->value->at) == "g.yaml:3:15");
    CHECK(item.find("address")->value->quoted);
    // Columns are characters, not bytes.
    CHECK(to_string(d.root->find("n\xC3\xA4me")->value->at) == "g.yaml:4:7");
    CHECK_FALSE(d.root->find("n\xC3\xA4me")->value->quoted);
    CHECK(d.root->find("q")->value->text == "on");
}

TEST_CASE("an empty file is an empty mapping") {
    for (const char* yaml :
         {"", "\n", "# only a comment\n", "---\n", "\xEF\xBB\xBF", "null", "{}", "...", "{}\n...\n"}) {
        problem_list problems;
        const auto d = document::parse(yaml, "g.yaml", problems);
        CHECK(problems.empty());
        REQUIRE(d.root->kind == node_kind::map);
        CHECK(d.root->members.empty());
        CHECK(d.complete);
    }
}

TEST_CASE("what YAML lets pass and people regret is refused with its place") {
    struct row {
        std::string_view yaml;
        lines problems;
    };
    const row table[] = {
        {"a: 1\nb: 2\na: 3\n", {"g.yaml:3:1: duplicate key \"a\" (hint: it stands at g.yaml:1:1 already)"}},
        {"a: {x: 1, 'x': 2}", {"g.yaml:1:11: duplicate key \"x\" (hint: it stands at g.yaml:1:5 already)"}},
        {"a: 1\n---\nb: 2\n",
         {"g.yaml:2:1: the file holds more than one YAML document (hint: remove the \"---\", or use include:)"}},
        {"base: &b {x: 1}\na:\n  <<: *b\n",
         {"g.yaml:3:3: merge keys (<<) are not supported (hint: write the keys out, or use include:)"}},
        {"a: !!int \"3\"\n", {"g.yaml:1:4: YAML tags are not supported (hint: remove the tag; quotes make a text)"}},
        {"a: !secret x\n", {"g.yaml:1:4: YAML tags are not supported (hint: remove the tag; quotes make a text)"}},
        {"a: !thing {b: 1}\n", {"g.yaml:1:4: YAML tags are not supported (hint: remove the tag; quotes make a text)"}},
        {"a:\n\tb: 1\n", {"g.yaml:2:1: a tab indents this line (hint: indent with spaces)"}},
        {"a:\n  \tb: 1\n", {"g.yaml:2:3: a tab indents this line (hint: indent with spaces)"}},
        {"a: b\xFFz\n", {"g.yaml:1:5: not UTF-8 (hint: save the file as UTF-8)"}},
        {"a: \xC0\xAF\n", {"g.yaml:1:4: not UTF-8 (hint: save the file as UTF-8)"}},
        {"a: \xED\xA0\x80\n", {"g.yaml:1:4: not UTF-8 (hint: save the file as UTF-8)"}},
        {std::string_view{"a: \0b\n", 6},
         {"g.yaml:1:4: control character 0x00 (hint: write it as an escape in a quoted text)"}},
        {"a: 1\rb: 2\n", {"g.yaml:1:5: control character 0x0d (hint: end lines with LF or CR LF)"}},
        {"a\x04: 1", {"g.yaml:1:2: control character 0x04 (hint: write it as an escape in a quoted text)"}},
        {"a: [\"x\\N\"]",
         {"g.yaml:1:5: an escape in this text gives no UTF-8 or a NUL (hint: write \\u0085 for \\N, "
          "\\u00a0 for \\_)"}},
        {"\"\\0\": x",
         {"g.yaml:1:1: an escape in this text gives no UTF-8 or a NUL (hint: write \\u0085 for \\N, "
          "\\u00a0 for \\_)"}},
        {"? [a]\n: 1\n", {"g.yaml:1:3: a key must be a text"}},
        {"null: 1\n", {"g.yaml:1:1: a key must be a text (hint: quote it: \"null\")"}},
        {"- a\n", {"g.yaml:1:1: expected a mapping at the top, got a list"}},
        {"text", {"g.yaml:1:1: expected a mapping at the top, got a scalar"}},
        {"a: [1, 2\nb: 3\n", {"g.yaml:2:2: not valid YAML: end of sequence flow not found"}},
        {"a: \"b\n", {"g.yaml:2:1: a quoted text does not end (hint: look for a lost quote above)"}},
        {"a: 'b", {"g.yaml:1:6: a quoted text does not end (hint: look for a lost quote above)"}},
        {"a: b: c\n", {"g.yaml:1:5: not valid YAML: illegal map value"}},
        {"a: *nobody\n", {"g.yaml:1:4: not valid YAML: the referenced anchor is not defined"}},
        {"a: &x [*x]\n", {"g.yaml:1:8: the alias stands inside what it refers to (hint: write it out)"}},
    };
    for (const row& r : table) {
        INFO(r.yaml);
        CHECK(parse(r.yaml) == r.problems);
    }
}

TEST_CASE("line ends of Windows, anchors, block texts and string tags are fine") {
    problem_list problems;
    const auto d = document::parse("a: &x [1, two]\r\nb: *x\r\nc: |\r\n  on\r\nd: !!str 12\r\ne: \"tab\\there\"\n",
                                   "g.yaml", problems);
    CHECK(printed(problems).empty());
    CHECK(d.root->find("a")->value == d.root->find("b")->value);
    CHECK(d.root->find("c")->value->quoted);
    CHECK(d.root->find("d")->value->quoted);
    CHECK(d.root->find("e")->value->text == "tab\there");
}

TEST_CASE("nesting, values and expanded aliases are bounded") {
    CHECK(parse(nested(document_depth_max - 1)).empty());
    CHECK(parse(nested(document_depth_max)) == lines{"g.yaml:1:67: nested deeper than 64 levels"});
    CHECK(parse(nested(100'000)) == lines{"g.yaml:1:5004: more than 5000 open brackets"});

    // Nine aliases of nine aliases of ...: 9^9 values.
    std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 9; ++i) {
        bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
        for (int j = 0; j < 9; ++j) bomb += (j > 0 ? ", *a" : "*a") + std::to_string(i - 1);
        bomb += "]\n";
    }
    const lines found = parse(bomb);
    REQUIRE(found.size() == 1);
    CHECK(found[0].find("more than 100000 values, aliases expanded") != std::string::npos);

    std::string heavy = "a: &a " + std::string(1 << 20, 'x') + "\nb: [";
    for (int i = 0; i < 20; ++i) heavy += "*a, ";
    const lines too_heavy = parse(heavy + "]\n");
    REQUIRE(too_heavy.size() == 1);
    CHECK(too_heavy[0].find("more than 16 MiB of text, aliases expanded") != std::string::npos);

    // Each level deep by an alias to the one before.
    std::string deep = "a0: &a0 [[[[[[[[x]]]]]]]]\n";
    for (int i = 1; i < 10; ++i) {
        deep +=
            "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [[[[[[[[*a" + std::to_string(i - 1) + "]]]]]]]]\n";
    }
    const lines too_deep = parse(deep);
    REQUIRE(too_deep.size() == 1);
    CHECK(too_deep[0].find("nested deeper than 64 levels") != std::string::npos);

    CHECK(parse(std::string(document_bytes_max + 1, '#')) ==
          lines{"g.yaml: larger than 4 MiB (hint: split it with include:)"});
}

TEST_CASE("a hundred thousand mistakes give a list one can read") {
    std::string yaml;
    for (int i = 0; i < 30'000; ++i) yaml += "a: 1\n";
    const lines found = parse(yaml);
    REQUIRE(found.size() == problem_list::problems_max + 1);
    CHECK(found.front() == "g.yaml:2:1: duplicate key \"a\" (hint: it stands at g.yaml:1:1 already)");
    CHECK(found.back() == "29799 more problems are not shown (hint: mend these first)");
}

TEST_CASE("what cannot be read is a problem of the file") {
    const temporary_folder folder;
    problem_list problems;
    CHECK_FALSE(document::load(folder.path("none.yaml"), problems).complete);
    CHECK(printed(problems) == lines{folder.path("none.yaml") + ": cannot be read: No such file or directory"});
    CHECK_FALSE(document::load(folder.path("."), problems).complete);
    CHECK(printed(problems) == lines{folder.path(".") + ": cannot be read: not a regular file"});
}
