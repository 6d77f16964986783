#include <catch2/catch.hpp>

#include "config/include.hpp"
#include "config/load.hpp"
#include "unit/config/sample.hpp"
#include "unit/config/support.hpp"

#include <algorithm>

using namespace sluice;
using namespace sluice::config;
using namespace sluice::config::testing;

namespace {

struct loaded {
    sample::root c;
    load_report report;
    lines problems;  // printed, without the folder
};

loaded load_sample(const temporary_folder& folder, environment env = environment::process()) {
    loaded out;
    out.report = load(folder.path("g.yaml"), [&](config_reader& r) { read(r, out.c); }, std::move(env));
    const std::string prefix = folder.path("");
    for (const problem& p : out.report.problems) {
        std::string text = to_string(p);
        for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix))
            text.erase(at, prefix.size());
        out.problems.push_back(std::move(text));
    }
    return out;
}

}  // namespace

TEST_CASE("includes are appended to lists and merged into sections") {
    const temporary_folder folder;
    folder.write("g.yaml",
                 "include: [parts/a.yaml, conf.d/*.yaml]\nname: main\nwords: [m]\nheaders: {x-m: m}\nlimit: {}\n");
    folder.write("parts/a.yaml", "include: ../b.yaml\nwords: [a]\nheaders: {x-a: a}\n");
    folder.write("b.yaml", "port: 99\nwords: [b]\n");
    folder.write("conf.d/2.yaml", "targets: [{provider: two}]\n");
    folder.write("conf.d/1.yaml", "targets: [{provider: one}]\n");
    folder.write("conf.d/.1.yaml.swp", "not: [yaml");
    folder.write("conf.d/.hidden.yaml", "not: [yaml");
    const auto got = load_sample(folder);
    CHECK(got.problems == lines{});
    CHECK(got.report.ok());
    CHECK(got.c.name == "main");
    CHECK(got.c.port == 99);
    CHECK(got.c.words == lines{"m", "a", "b"});
    CHECK(got.c.headers.size() == 2);
    REQUIRE(got.c.targets.size() == 2);
    CHECK(got.c.targets[0].provider == "one");
    CHECK(got.report.files == lines{folder.path("g.yaml"), folder.path("parts/a.yaml"), folder.path("b.yaml"),
                                    folder.path("conf.d/1.yaml"), folder.path("conf.d/2.yaml")});
}

TEST_CASE("what two files set differently names both places") {
    const temporary_folder folder;
    folder.write("g.yaml", "include: a.yaml\nname: main\nlimit: {tokens_per_minute: 5}\nwords: [x]\n");
    folder.write("a.yaml", "name: other\nlimit:\n  tokens_per_minute: 5\nwords: {}\n");
    CHECK(load_sample(folder).problems ==
          lines{"a.yaml:1:1: name: set in two files (hint: it is set at g.yaml:2:1 already)",
                "a.yaml:3:3: limit.tokens_per_minute: set in two files (hint: it is set at g.yaml:3:9 already)",
                "a.yaml:4:1: words: set in two files (hint: it is set at g.yaml:4:1 already)"});
}

TEST_CASE("problems in an included file stand in that file") {
    const temporary_folder folder;
    folder.write("g.yaml", "include: a.yaml\n");
    folder.write("a.yaml", "targets:\n- provdier: x\n");
    CHECK(load_sample(folder).problems ==
          lines{"a.yaml:2:3: targets[0]: unknown key \"provdier\"; did you mean \"provider\"?"});
}

TEST_CASE("includes that go wrong say so, and nothing else is complained about") {
    const temporary_folder folder;
    // The unknown key would be reported if the rest were read.
    const auto problems = [&](std::string_view include) {
        folder.write("g.yaml", std::string{include} + "\nunknown: 1\n");
        return load_sample(folder).problems;
    };
    folder.write("self.yaml", "include: g.yaml");
    folder.write("a.yaml", "include: b.yaml");
    folder.write("b.yaml", "name: b");
    CHECK(problems("include: none.yaml") == lines{"none.yaml: cannot be read: No such file or directory"});
    CHECK(problems("include: self.yaml") ==
          lines{"self.yaml:1:10: include: g.yaml includes itself (hint: remove it from the cycle)"});
    CHECK(problems("include: ./g.yaml") ==
          lines{"g.yaml:1:10: include: g.yaml includes itself (hint: remove it from the cycle)"});
    CHECK(problems("include: [a.yaml, b.yaml]") ==
          lines{"g.yaml:1:19: include: b.yaml is included twice (hint: it is included at a.yaml:1:10 already)"});
    CHECK(problems("include: {a: b}") ==
          lines{"g.yaml:1:10: include: expected a path or a list of paths, got a mapping"});
    CHECK(problems("include: [[a.yaml]]") ==
          lines{"g.yaml:1:11: include: expected a path or a list of paths, got a list"});
    CHECK(problems("include:") == lines{"g.yaml:1:1: include: expected a path or a list of paths, got nothing"});
    CHECK(problems("include: \"\"") == lines{"g.yaml:1:10: include: expected the path of a file"});
    CHECK(problems("include: */a.yaml").size() == 1);  // an alias, for YAML
    CHECK(problems("include: \"*/a.yaml\"") ==
          lines{"g.yaml:1:10: include: only the last part of a path may be a pattern"});
    CHECK(problems("include: nowhere/*.yaml") ==
          lines{"g.yaml:1:10: include: the folder nowhere cannot be read: No such file or directory"});
    CHECK(problems("include: ${SLUICE_TEST_NOT_SET}/a.yaml").size() == 1);
    folder.write("bad.yaml", "a: [");
    CHECK(problems("include: bad.yaml").size() == 1);
}

TEST_CASE("a pattern that matches nothing is fine, and its folder is watched") {
    const temporary_folder folder;
    std::filesystem::create_directory(folder.path("conf.d"));
    folder.write("g.yaml", "include: conf.d/*.yaml\n");
    const auto got = load_sample(folder);
    CHECK(got.problems.empty());
    const auto before = got.report.seen;
    CHECK(before.now() == before);
    folder.write("conf.d/new.yaml", "name: x");
    CHECK_FALSE(before.now() == before);
}

TEST_CASE("includes are nested eight files deep and no deeper") {
    const temporary_folder folder;
    const auto chain = [&](int n) {
        folder.write("g.yaml", "include: 1.yaml");
        for (int i = 1; i < n; ++i)
            folder.write(std::to_string(i) + ".yaml", "include: " + std::to_string(i + 1) + ".yaml");
        folder.write(std::to_string(n) + ".yaml", "");
    };
    chain(8);
    CHECK(load_sample(folder).problems.empty());
    chain(9);
    CHECK(load_sample(folder).problems == lines{"8.yaml:1:10: include: includes are nested deeper than 8 files"});
}

TEST_CASE("a file of a reference is part of what was seen, even before it exists") {
    const temporary_folder folder;
    folder.write("g.yaml", "key: \"${file:key.txt}\"\n");
    const auto missing = load_sample(folder);
    CHECK(missing.problems == lines{"g.yaml:1:6: key: the file key.txt cannot be read: No such file or directory"});
    folder.write("key.txt", "sk-1\n");
    CHECK_FALSE(missing.report.seen.now() == missing.report.seen);

    const auto good = load_sample(folder);
    CHECK(good.problems.empty());
    CHECK(good.c.key.reveal() == "sk-1");
    CHECK(good.report.files == lines{folder.path("g.yaml")});
    CHECK(good.report.seen.now() == good.report.seen);
    folder.write("key.txt", "sk-22\n");
    CHECK_FALSE(good.report.seen.now() == good.report.seen);
}

TEST_CASE("a file that is not YAML is not read any further") {
    const temporary_folder folder;
    folder.write("g.yaml", "name: [\n");
    bool called = false;
    const auto report = load(folder.path("g.yaml"), [&](config_reader&) { called = true; });
    CHECK_FALSE(report.ok());
    CHECK_FALSE(called);
    CHECK(report.files.size() == 1);
}
