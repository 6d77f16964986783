#include <catch2/catch.hpp>

#include "unit/config/support.hpp"

#include <sys/stat.h>

using namespace sluice;
using namespace sluice::config;
using namespace sluice::config::testing;

namespace {

struct outcome {
    std::string text;
    bool referenced = false;
    lines problems;
};

outcome resolve(std::string text, environment env) {
    node n;
    n.kind = node_kind::scalar;
    n.text = std::move(text);
    n.at = {std::make_shared<const std::string>("etc/g.yaml"), 3, 9};
    references refs{std::move(env)};
    problem_list problems;
    outcome out;
    if (auto r = refs.resolve(n, "providers[0].api_key", problems)) {
        out.text = r->text;
        out.referenced = r->referenced;
    } else {
        out.text = "-";
    }
    out.problems = printed(problems);
    return out;
}

}  // namespace

TEST_CASE("references are replaced by variables, defaults and files") {
    const auto env = fake_environment(
        {{"KEY", "sk-1"}, {"EMPTY", ""}, {"TRICK", "${KEY}"}},
        {{"/run/key", "sk-2\n"}, {"/run/crlf", "sk-3\r\n"}, {"/run/lines", "a\n\nb\n\n"}, {"etc/beside", "sk-4"}});
    struct row {
        std::string_view text, replaced;
        bool referenced = true;
    };
    const row table[] = {
        {"plain", "plain", false},
        {"${KEY}", "sk-1"},
        {"Bearer ${KEY}, ${KEY}!", "Bearer sk-1, sk-1!"},
        {"${NONE:-}", ""},
        {"${NONE:-a:-b}", "a:-b"},
        {"${EMPTY:-x}", "x"},
        {"${EMPTY}", ""},
        {"${KEY:-x}", "sk-1"},
        {"${TRICK}", "${KEY}"},  // replaced once only
        {"$${KEY}", "${KEY}", false},
        {"$$${KEY}", "$${KEY}", false},
        {"$5 and $KEY and $", "$5 and $KEY and $", false},
        {"a$${b}${KEY}", "a${b}sk-1"},
        {"${file:/run/key}", "sk-2"},
        {"${file:/run/crlf}", "sk-3"},
        {"${file:/run/lines}", "a\n\nb\n"},
        {"${file:beside}", "sk-4"},
        {"${file:../etc/beside}", "sk-4"},
    };
    for (const row& r : table) {
        INFO(r.text);
        const outcome got = resolve(std::string{r.text}, env);
        CHECK(got.text == r.replaced);
        CHECK(got.referenced == r.referenced);
        CHECK(got.problems.empty());
    }
}

TEST_CASE("a reference that leads nowhere is a problem at its place") {
    const auto env = fake_environment({{"BINARY", "a\x01z"}}, {{"/run/binary", "\xFF\xFE"}});
    struct row {
        std::string_view text, problem;
    };
    const row table[] = {
        {"${NONE}", "the environment variable NONE is not set (hint: set it, or write ${NONE:-default})"},
        {"x ${file:/none} y", "the file /none cannot be read: No such file or directory"},
        {"${file:}", "${file:} lacks its path (hint: write ${file:/path})"},
        {"${KEY", "a reference lacks its } (hint: write $${ for a literal ${)"},
        {"${}",
         "not a reference: expected ${NAME}, ${NAME:-default} or ${file:/path} (hint: write $${ for a literal ${)"},
        {"${1X}",
         "not a reference: expected ${NAME}, ${NAME:-default} or ${file:/path} (hint: write $${ for a literal ${)"},
        {"${sk-123}",
         "not a reference: expected ${NAME}, ${NAME:-default} or ${file:/path} (hint: write $${ for a literal ${)"},
        {"${BINARY}", "the environment variable BINARY is not UTF-8 text"},
        {"${file:/run/binary}", "the file /run/binary is not UTF-8 text"},
    };
    for (const row& r : table) {
        INFO(r.text);
        CHECK(resolve(std::string{r.text}, env).problems ==
              lines{"etc/g.yaml:3:9: providers[0].api_key: " + std::string{r.problem}});
    }
}

TEST_CASE("references cannot blow a value up") {
    const auto env = fake_environment({}, {{"/big", std::string(60 * 1024, 'x')}});
    std::string text;
    for (int i = 0; i < 20; ++i) text += "${file:/big}";
    CHECK(resolve(text, env).problems ==
          lines{"etc/g.yaml:3:9: providers[0].api_key: longer than 1024 KiB with its references"});
}

TEST_CASE("files of references are regular, small and read once") {
    const temporary_folder folder;
    const auto env = environment::process();
    CHECK(env.file(folder.write("ok", std::string(64 * 1024, 'x'))).value().size() == 64 * 1024);
    CHECK(env.file(folder.write("big", std::string(64 * 1024 + 1, 'x'))).error().message == "larger than 64 KiB");
    REQUIRE(::mkfifo(folder.path("pipe").c_str(), 0600) == 0);
    CHECK(env.file(folder.path("pipe")).error().message == "not a regular file");
    CHECK(env.file(std::string{"a\0b", 3}).has_error());

    int reads = 0;
    references refs{{{}, [&](const std::string&) -> result<std::string> { return std::to_string(++reads); }}};
    node n;
    n.kind = node_kind::scalar;
    n.text = "${file:/a}${file:/a}";
    problem_list problems;
    CHECK(refs.resolve(n, "", problems)->text == "11");
    CHECK(refs.files() == lines{"/a"});
}
