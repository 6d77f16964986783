#include "config/manifests.hpp"

#include "unit/config/support.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::config;
using namespace sluice::config::testing;

namespace {

struct loaded {
    lines objects;   // "kind/name", and the names in them
    lines problems;  // as printed, without the folder
};

// Of all objects of kind Thing the field `size`.
loaded load(std::string_view text) {
    const temporary_folder folder;
    const std::string path = folder.write("m.yaml", text);
    loaded out;
    const auto report = load_manifests(
        path,
        [&](const manifest& m) -> manifest_reader {
            out.objects.push_back(m.kind + "/" + m.space + "/" + m.name);
            if (m.kind != "Thing" && !m.kind.empty()) return nullptr;
            return [&](config_reader& r) {
                int size = 0;
                r.field("size", size, "Its size.", required);
                out.objects.push_back(std::to_string(size));
            };
        },
        fake_environment());
    CHECK(report.seen.files() == std::vector{path});
    for (const problem& p : report.problems) out.problems.push_back(to_string(p).substr(path.size() - 6));
    return out;
}

}  // namespace

TEST_CASE("the objects of a file are read in order, and those that nobody wants are not looked at") {
    const auto found = load(
        "# of a chart\n---\n---\nkind: Other\nmetadata: {name: a, labels: {x: y}}\nspec: {whatever: [1, {b: c}]}\n"
        "---\nkind: Thing\napiVersion: v1\nmetadata: {name: b, namespace: n, annotations: {}}\nsize: 3\nstatus: {x: "
        "1}\n"
        "more: null\n---\nsize: 5\n...\n");
    CHECK(found.problems == lines{});
    CHECK(found.objects == lines{"Other//a", "Thing/n/b", "3", "//", "5"});
}

TEST_CASE("lists hold objects, as kubectl writes them, in JSON as well") {
    const auto found = load(
        R"({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": ""},
            "items": [{"kind": "Thing", "metadata": {"name": "a"}, "size": 1}, {"kind": "Thing", "size": 2}]})");
    CHECK(found.problems == lines{});
    CHECK(found.objects == lines{"Thing//a", "1", "Thing//", "2"});
}

TEST_CASE("problems of manifests have their place in the file, whatever documents come before") {
    const auto found = load("kind: Other\nsize: x\n---\nkind: Thing\nsize: x\n---\nkind: Thing\nsise: 1\n");
    CHECK(found.problems == lines{"m.yaml:5:7: size: expected a number, got \"x\"",
                                  "m.yaml:8:1: unknown key \"sise\"; did you mean \"size\"?"});
}

TEST_CASE("a file that cannot be understood yields no objects") {
    for (const std::string bad : {"kind: Thing\nsize: 1\n---\nkind: [\n", "kind: Thing\nsize: 1\n---\njust text\n",
                                  "kind: Thing\nsize: 1\n---\n<<: {a: b}\n"}) {
        const auto found = load(bad);
        CAPTURE(bad);
        CHECK(found.objects == lines{});
        CHECK(found.problems.size() == 1);
    }
    problem_list problems;
    const temporary_folder folder;
    const auto missing = load_manifests(folder.path("none.yaml"), [](const manifest&) { return nullptr; });
    REQUIRE(missing.problems.size() == 1);
    CHECK(missing.problems.front().message == "cannot be read: No such file or directory");
    CHECK(missing.seen.files().size() == 1);
}

TEST_CASE("the limits of a document hold for all documents of a file together") {
    std::string many;
    for (std::size_t i = 0; i < document_nodes_max / 4; ++i) many += "---\na: {b: c}\n";
    const auto found = load(many);
    REQUIRE(found.problems.size() == 1);
    CHECK(found.problems.front().find("more than 100000 values") != std::string::npos);
}

TEST_CASE("an anchor is known in its own document only") {
    const auto found = load("kind: Other\na: &x 1\n---\nkind: Thing\nsize: *x\n");
    CHECK(found.problems.size() == 1);
}
