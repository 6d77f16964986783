#include <catch2/catch.hpp>

#include "unit/config/sample.hpp"
#include "unit/config/support.hpp"

using namespace sluice;
using namespace sluice::config;
using namespace sluice::config::testing;

namespace {

lines problems_in_sample(std::string_view yaml, environment env = fake_environment()) {
    sample::root c;
    return problems_of(yaml, [&](config_reader& r) { read(r, c); }, std::move(env));
}

sample::root good_sample(std::string_view yaml, environment env = fake_environment()) {
    sample::root c;
    CHECK(problems_of(yaml, [&](config_reader& r) { read(r, c); }, std::move(env)) == lines{});
    return c;
}

}  // namespace

TEST_CASE("every kind of field is read") {
    const auto c = good_sample(R"(name: edge
key: "sk-1"
trace: true
port: 443
small: 255
ratio: 1
body: 8MiB
timeout: 1.5s
mode: careful
words: [a, "on", 'true']
statuses: [500]
headers: {x-a: "1", X.b: two}
schema: {type: object, list: [1, -2.5e3, true, null, "a\"b\n"], "on": text}
defaults: {temperature: 0.5, stop: [x]}
limit: {tokens_per_minute: 9007199254740993}
targets:
  - {provider: openai, weight: 90}
  - provider: azure
named:
  gpt-4.1: {provider: openai}
match: {path: /v1, all: [{path: /a}, {all: [{path: /b}]}]}
stages:
  - relay
  - quota: {tokens_per_minute: 5}
  - guard:
      word: bomb
  - quota
)");
    CHECK(c.name == "edge");
    CHECK(c.key.reveal() == "sk-1");
    CHECK(c.trace);
    CHECK(c.port == 443);
    CHECK(c.small == 255);
    CHECK(c.ratio == 1.0);
    CHECK(c.body.value == 8u << 20);
    CHECK(c.timeout == std::chrono::milliseconds{1500});
    CHECK(c.how == sample::mode::careful);
    CHECK(c.words == std::vector<std::string>{"a", "on", "true"});
    CHECK(c.statuses == std::vector<int>{500});
    CHECK(c.headers == std::map<std::string, std::string>{{"x-a", "1"}, {"X.b", "two"}});
    CHECK(c.schema == R"({"type":"object","list":[1,-2.5e3,true,null,"a\"b\n"],"on":"text"})");
    CHECK(c.defaults == std::map<std::string, std::string>{{"temperature", "0.5"}, {"stop", "[\"x\"]"}});
    REQUIRE(c.limit);
    CHECK(c.limit->tokens_per_minute == 9007199254740993);
    REQUIRE(c.targets.size() == 2);
    CHECK(c.targets[0].weight == 90);
    CHECK(c.targets[1].provider == "azure");
    REQUIRE(c.named.contains("gpt-4.1"));
    CHECK(c.match.all.at(1).all.at(0).path == "/b");
    CHECK(c.stages == std::vector<std::string>{"relay", "quota 5", "guard bomb", "quota 60000"});
}

TEST_CASE("what is not written keeps its default, and what is written replaces it") {
    const auto empty = good_sample("");
    CHECK(empty.name == "sluice");
    CHECK(empty.port == 8080);
    CHECK(empty.statuses == std::vector<int>{429, 503});
    CHECK_FALSE(empty.limit);
    CHECK(good_sample("statuses: []").statuses.empty());
    CHECK(good_sample("limit: {}").limit->tokens_per_minute == 60'000);
}

TEST_CASE("a value that does not fit says what was expected, what came and where") {
    struct row {
        std::string_view yaml, problem;
    };
    const row table[] = {
        // Numbers.
        {"limit: {tokens_per_minute: many}",
         "g.yaml:1:28: limit.tokens_per_minute: expected a positive number, got \"many\""},
        {"limit: {tokens_per_minute: 0}", "g.yaml:1:28: limit.tokens_per_minute: expected a positive number, got 0"},
        {"port: 70000", "g.yaml:1:7: port: expected a number from 1 to 65535, got 70000"},
        {"port: -1", "g.yaml:1:7: port: expected a number from 1 to 65535, got -1"},
        {"port: 1.5", "g.yaml:1:7: port: expected a whole number, got 1.5"},
        {"port: \"80\"",
         "g.yaml:1:7: port: expected a number from 1 to 65535, got the text \"80\" (hint: remove the quotes)"},
        {"port: 99999999999999999999", "g.yaml:1:7: port: expected a number within 64 bits, got 99999999999999999999"},
        {"small: 256", "g.yaml:1:8: small: expected a number from 0 to 255, got 256"},
        {"small: -1", "g.yaml:1:8: small: expected a number from 0 to 255, got -1"},
        {"statuses: [200, 3000000000]",
         "g.yaml:1:17: statuses[1]: expected a number of at most 2147483647, got 3000000000"},
        {"statuses: [x]", "g.yaml:1:12: statuses[0]: expected a number, got \"x\""},
        {"ratio: 1.01", "g.yaml:1:8: ratio: expected a decimal number from 0 to 1, got 1.01"},
        {"ratio: half", "g.yaml:1:8: ratio: expected a decimal number from 0 to 1, got \"half\""},
        {"ratio: 1e999", "g.yaml:1:8: ratio: expected a decimal number from 0 to 1, got 1e999"},
        // The traps of YAML 1.1 where a number is expected.
        {"port: 012",
         "g.yaml:1:7: port: expected a number from 1 to 65535, got 012 (hint: YAML 1.1 reads leading zeros as octal: "
         "write it without)"},
        {"port: 0o14",
         "g.yaml:1:7: port: expected a number from 1 to 65535, got 0o14 (hint: write the number in decimal)"},
        {"port: 0x1F",
         "g.yaml:1:7: port: expected a number from 1 to 65535, got 0x1F (hint: write the number in decimal)"},
        {"port: 1:30",
         "g.yaml:1:7: port: expected a number from 1 to 65535, got 1:30 (hint: YAML 1.1 reads it to the base of 60: "
         "write the number in decimal)"},
        {"port: 1_000", "g.yaml:1:7: port: expected a number from 1 to 65535, got 1_000 (hint: write 1000)"},
        {"port: +5", "g.yaml:1:7: port: expected a number from 1 to 65535, got +5 (hint: write 5)"},
        {"ratio: .5", "g.yaml:1:8: ratio: expected a decimal number from 0 to 1, got .5 (hint: write 0.5)"},
        {"ratio: .inf",
         "g.yaml:1:8: ratio: expected a decimal number from 0 to 1, got .inf (hint: write a finite number)"},
        {"ratio: .NaN",
         "g.yaml:1:8: ratio: expected a decimal number from 0 to 1, got .NaN (hint: write a finite number)"},
        {"port: ~",
         "g.yaml:1:1: port: expected a number from 1 to 65535, got nothing (hint: write a value, or remove the key)"},
        {"port:",
         "g.yaml:1:1: port: expected a number from 1 to 65535, got nothing (hint: write a value, or remove the key)"},
        {"port: [1]", "g.yaml:1:7: port: expected a number from 1 to 65535, got a list"},
        // Booleans.
        {"trace: yes", "g.yaml:1:8: trace: expected true or false, got yes (hint: write true)"},
        {"trace: Off", "g.yaml:1:8: trace: expected true or false, got Off (hint: write false)"},
        {"trace: y", "g.yaml:1:8: trace: expected true or false, got y (hint: write true)"},
        {"trace: N", "g.yaml:1:8: trace: expected true or false, got N (hint: write false)"},
        {"trace: True", "g.yaml:1:8: trace: expected true or false, got True (hint: write true)"},
        {"trace: 1", "g.yaml:1:8: trace: expected true or false, got 1"},
        {"trace: \"true\"",
         "g.yaml:1:8: trace: expected true or false, got the text \"true\" (hint: remove the quotes)"},
        {"trace: maybe", "g.yaml:1:8: trace: expected true or false, got \"maybe\""},
        {"trace: {}", "g.yaml:1:8: trace: expected true or false, got a mapping"},
        // Texts.
        {"name: on",
         "g.yaml:1:7: name: expected a text, got a boolean: on as YAML 1.1 reads it (hint: quote it: \"on\")"},
        {"name: true", "g.yaml:1:7: name: expected a text, got a boolean: true (hint: quote it: \"true\")"},
        {"name: 12", "g.yaml:1:7: name: expected a text, got a number: 12 (hint: quote it: \"12\")"},
        {"name: 1e3", "g.yaml:1:7: name: expected a text, got a number: 1e3 (hint: quote it: \"1e3\")"},
        {"name: 012",
         "g.yaml:1:7: name: expected a text, got a number: 012 as YAML 1.1 reads it (hint: quote it: \"012\")"},
        {"name: 12:30",
         "g.yaml:1:7: name: expected a text, got a number: 12:30 as YAML 1.1 reads it (hint: quote it: \"12:30\")"},
        {"name: 1_0",
         "g.yaml:1:7: name: expected a text, got a number: 1_0 as YAML 1.1 reads it (hint: quote it: \"1_0\")"},
        {"name: .nan",
         "g.yaml:1:7: name: expected a text, got a number: .nan as YAML 1.1 reads it (hint: quote it: \".nan\")"},
        {"name: null", "g.yaml:1:1: name: expected a text, got nothing (hint: write a value, or remove the key)"},
        {"words: [a, no]",
         "g.yaml:1:12: words[1]: expected a text, got a boolean: no as YAML 1.1 reads it (hint: quote it: \"no\")"},
        {"headers: {x-a: 1}", "g.yaml:1:16: headers.x-a: expected a text, got a number: 1 (hint: quote it: \"1\")"},
        {"headers: {\"a.b\": 1}",
         "g.yaml:1:18: headers[\"a.b\"]: expected a text, got a number: 1 (hint: quote it: \"1\")"},
        // Durations and sizes.
        {"timeout: 30",
         "g.yaml:1:10: timeout: expected a duration from 1s to 1h, got 30 (hint: write its unit: \"30ms\", \"30s\" or "
         "\"30m\")"},
        {"timeout: 30 s",
         "g.yaml:1:10: timeout: expected a duration from 1s to 1h, got \"30 s\" (hint: like 250ms, 30s, 5m, 2h or 1d)"},
        {"timeout: 1d", "g.yaml:1:10: timeout: expected a duration from 1s to 1h, got \"1d\""},
        {"timeout: 999ms", "g.yaml:1:10: timeout: expected a duration from 1s to 1h, got \"999ms\""},
        {"timeout: 1:30",
         "g.yaml:1:10: timeout: expected a duration from 1s to 1h, got 1:30 (hint: like 250ms, 30s, 5m, 2h or 1d)"},
        {"timeout: -5s",
         "g.yaml:1:10: timeout: expected a duration from 1s to 1h, got \"-5s\" (hint: like 250ms, 30s, 5m, 2h or 1d)"},
        {"body: 8mb",
         "g.yaml:1:7: body: expected a size of at most 64MiB, got \"8mb\" (hint: like 8MiB, 64KiB or 500MB)"},
        {"body: 1GiB", "g.yaml:1:7: body: expected a size of at most 64MiB, got \"1GiB\""},
        {"body: -1", "g.yaml:1:7: body: expected a size of at most 64MiB, got -1 (hint: like 8MiB, 64KiB or 500MB)"},
        {"body: 1_000", "g.yaml:1:7: body: expected a size of at most 64MiB, got 1_000 (hint: write 1000)"},
        // Enumerations.
        {"mode: carefull",
         "g.yaml:1:7: mode: expected one of \"fast\", \"careful\", \"off\", got \"carefull\"; did you mean "
         "\"careful\"?"},
        {"mode: slow", "g.yaml:1:7: mode: expected one of \"fast\", \"careful\", \"off\", got \"slow\""},
        {"mode: off",
         "g.yaml:1:7: mode: expected a text, got a boolean: off as YAML 1.1 reads it (hint: quote it: \"off\")"},
        // Values kept as JSON.
        {"schema: {a: [yes]}",
         "g.yaml:1:14: schema.a[0]: yes is a boolean as YAML 1.1 reads it (hint: write true, or quote it: \"yes\")"},
        {"defaults: {n: 010}",
         "g.yaml:1:15: defaults.n: 010 is a number as YAML 1.1 reads it (hint: YAML 1.1 reads leading zeros as octal: "
         "write it without, or quote it: \"010\")"},
        {"schema: 1e999", "g.yaml:1:9: schema: expected a number in the range of a double, got 1e999"},
        // Structure.
        {"limit: 5", "g.yaml:1:8: limit: expected a mapping, got a scalar"},
        {"limit:", "g.yaml:1:1: limit: expected a mapping, got nothing (hint: write {} for an empty one)"},
        {"targets:", "g.yaml:1:1: targets: expected a list, got nothing (hint: write [] for none)"},
        {"targets: {provider: a}", "g.yaml:1:10: targets: expected a list, got a mapping"},
        {"targets: [openai]", "g.yaml:1:11: targets[0]: expected a mapping, got a scalar"},
        {"targets: [{weight: 1}]", "g.yaml:1:11: targets[0]: missing key \"provider\""},
        {"targets: [{provider: \"\"}]", "g.yaml:1:22: targets[0].provider: must not be empty"},
        {"words: [a, b, c, d]", "g.yaml:1:8: words: expected at most 3 items, got 4"},
        {"words: {a: b}", "g.yaml:1:8: words: expected a list, got a mapping"},
        {"named: {a: 1}", "g.yaml:1:12: named.a: expected a mapping, got a scalar"},
        {"named: {a: {provdier: x}}", "g.yaml:1:13: named.a: unknown key \"provdier\"; did you mean \"provider\"?"},
        {"named: {gpt-4.1: {provider: x, weight: 0}}",
         "g.yaml:1:40: named[\"gpt-4.1\"].weight: expected a number from 1 to 100, got 0"},
        {"prot: 80", "g.yaml:1:1: unknown key \"prot\"; did you mean \"port\"?"},
        {"includes: a.yaml", "g.yaml:1:1: unknown key \"includes\"; did you mean \"include\"?"},
        {"limit: {burst: 1}", "g.yaml:1:9: limit: unknown key \"burst\" (hint: known keys: tokens_per_minute)"},
        {"match: {all: [{all: [{pth: x}]}]}",
         "g.yaml:1:23: match.all[0].all[0]: unknown key \"pth\"; did you mean \"path\"?"},
        // Variants.
        {"stages: [qouta]", "g.yaml:1:10: stages[0]: unknown name \"qouta\"; did you mean \"quota\"?"},
        {"stages: [{cache: {}}]",
         "g.yaml:1:11: stages[0]: unknown name \"cache\" (hint: known names: quota, guard, relay)"},
        {"stages: [guard]", "g.yaml:1:10: stages[0].guard: missing key \"word\""},
        {"stages: [{relay: }]",
         "g.yaml:1:11: stages[0].relay: expected a mapping, got nothing (hint: write \"- relay\" for an empty one)"},
        {"stages: [{relay: {x: 1}}]", "g.yaml:1:19: stages[0].relay: unknown key \"x\""},
        {"stages: [{quota: 5}]", "g.yaml:1:18: stages[0].quota: expected a mapping, got a scalar"},
        {"stages: [[quota]]", "g.yaml:1:10: stages[0]: expected a name or a mapping with one key, got a list"},
        {"stages: [{}]", "g.yaml:1:10: stages[0]: expected a name or a mapping with one key, got a mapping"},
        {"stages: quota", "g.yaml:1:9: stages: expected a list, got a scalar"},
        {"stages:\n- quota:\n  tokens_per_minute: 5\n",
         "g.yaml:3:3: stages[0]: expected one key that names the item, got \"tokens_per_minute\" as well (hint: indent "
         "it "
         "if it belongs to \"quota\"; start it with a dash if not)"},
        {"stages: [relay, relay, {quota: {tokens_per_minute: many}}]",
         "g.yaml:1:52: stages[2].quota.tokens_per_minute: expected a positive number, got \"many\""},
    };
    for (const row& r : table) {
        INFO(r.yaml);
        CHECK(problems_in_sample(r.yaml) == lines{std::string{r.problem}});
    }
}

TEST_CASE("all problems are reported at once, in the order of the file") {
    CHECK(problems_in_sample("trace: yes\nprot: 1\ntargets:\n- weight: 0\n  adress: x\nname: on\n") ==
          lines{"g.yaml:1:8: trace: expected true or false, got yes (hint: write true)",
                "g.yaml:2:1: unknown key \"prot\"; did you mean \"port\"?",
                "g.yaml:4:3: targets[0]: missing key \"provider\"",
                "g.yaml:4:11: targets[0].weight: expected a number from 1 to 100, got 0",
                "g.yaml:5:3: targets[0]: unknown key \"adress\" (hint: known keys: provider, weight)",
                "g.yaml:6:7: name: expected a text, got a boolean: on as YAML 1.1 reads it (hint: quote it: \"on\")"});
}

TEST_CASE("a misspelt required key is one problem, not two") {
    CHECK(problems_in_sample("targets: [{provder: x}]") ==
          lines{"g.yaml:1:12: targets[0]: unknown key \"provder\"; did you mean \"provider\"?"});
}

TEST_CASE("a secret is never printed") {
    CHECK(problems_in_sample("key: 123456") ==
          lines{"g.yaml:1:6: key: expected a text, got a number (hint: put it in quotes)"});
    CHECK(problems_in_sample("key: yes") ==
          lines{"g.yaml:1:6: key: expected a text, got a boolean as YAML 1.1 reads it (hint: put it in quotes)"});
    CHECK(problems_in_sample("key: [sk-1]") == lines{"g.yaml:1:6: key: expected a text, got a list"});
    // Where a section is expected somebody may have written a key.
    CHECK(problems_in_sample("limit: sk-1") == lines{"g.yaml:1:8: limit: expected a mapping, got a scalar"});
}

TEST_CASE("values from references fit every field, quoted or not, and are never printed") {
    const auto env =
        fake_environment({{"PORT", "443"}, {"ON", "true"}, {"D", "5s"}, {"M", "careful"}, {"BAD", "hunter2"}});
    const auto c = good_sample(
        "port: ${PORT}\ntrace: \"${ON}\"\ntimeout: ${D}\nmode: ${M}\nratio: \"${NONE:-0.25}\"\nname: ${PORT}\n"
        "schema: [\"${PORT}\", x]\nstatuses: [\"${PORT}\"]\nbody: \"${NONE:-4096}\"\n",
        env);
    CHECK(c.port == 443);
    CHECK(c.trace);
    CHECK(c.timeout == std::chrono::seconds{5});
    CHECK(c.how == sample::mode::careful);
    CHECK(c.ratio == 0.25);
    CHECK(c.name == "443");
    CHECK(c.schema == R"(["443","x"])");
    CHECK(c.statuses == std::vector<int>{443});
    CHECK(c.body.value == 4096);

    const std::string got = "got something else from a reference";
    CHECK(problems_in_sample("port: ${BAD}", env) ==
          lines{"g.yaml:1:7: port: expected a number from 1 to 65535, " + got});
    CHECK(problems_in_sample("trace: ${BAD}", env) == lines{"g.yaml:1:8: trace: expected true or false, " + got});
    CHECK(
        problems_in_sample("timeout: ${PORT}", env) ==
        lines{"g.yaml:1:10: timeout: expected a duration from 1s to 1h, " + got + " (hint: write its unit, like 30s)"});
    CHECK(problems_in_sample("mode: ${BAD}", env) ==
          lines{"g.yaml:1:7: mode: expected one of \"fast\", \"careful\", \"off\", " + got});
    CHECK(problems_in_sample("small: ${PORT}", env) ==
          lines{"g.yaml:1:8: small: expected a number from 0 to 255, " + got});
}

TEST_CASE("a read function can report at any place of the file") {
    const auto report = [](std::string_view key) {
        return [key](config_reader& r) {
            std::string ignored;
            for (const char* k : {"models", "stages", "prices"}) r.json(k, ignored, "");
            r.problem(key, "wrong", "mend it");
        };
    };
    const std::string_view yaml =
        "models:\n- name: a\n  targets: [{provider: opnai}]\nstages:\n- relay\n- quota: {per: x}\nprices: {gpt-4.1: "
        "{in: 1}}\n";
    CHECK(problems_of(yaml, report("")) == lines{"g.yaml:1:1: wrong (hint: mend it)"});
    CHECK(problems_of(yaml, report("models")) == lines{"g.yaml:2:1: models: wrong (hint: mend it)"});
    CHECK(problems_of(yaml, report("models[0].targets[0].provider")) ==
          lines{"g.yaml:3:24: models[0].targets[0].provider: wrong (hint: mend it)"});
    CHECK(problems_of(yaml, report("models[7].name")) == lines{"g.yaml:2:1: models[7].name: wrong (hint: mend it)"});
    CHECK(problems_of(yaml, report("stages[1].quota.per")) ==
          lines{"g.yaml:6:16: stages[1].quota.per: wrong (hint: mend it)"});
    CHECK(problems_of(yaml, report("stages[0].relay.x")) ==
          lines{"g.yaml:5:3: stages[0].relay.x: wrong (hint: mend it)"});
    CHECK(problems_of(yaml, report("prices[\"gpt-4.1\"].in")) ==
          lines{"g.yaml:7:24: prices[\"gpt-4.1\"].in: wrong (hint: mend it)"});
    CHECK(problems_of(yaml, report("nothing[")) == lines{"g.yaml:1:1: nothing[: wrong (hint: mend it)"});
    CHECK(problems_of(yaml, report("models[99999999999999999999]")).size() == 1);
}

TEST_CASE("a section knows where it stands and which keys it has") {
    std::string where;
    bool has = false, has_not = true;
    CHECK(problems_of("a: 1\nb:\n  - c: 1\n", [&](config_reader& r) {
              int n = 0;
              r.field("a", n, "");
              CHECK(r.enter_list("b", "", {}) == 1);
              r.enter_item(0);
              where = r.where();
              has = r.has("c");
              has_not = r.has("d");
              r.leave();
              r.leave();
          }).empty());
    CHECK(where == "g.yaml:3:5");
    CHECK(has);
    CHECK_FALSE(has_not);
}

TEST_CASE("an enumeration whose default has no name keeps it") {
    auto how = static_cast<sample::mode>(99);
    const auto read_mode = [&](config_reader& r) {
        r.one_of("mode", how, {{"fast", sample::mode::fast}, {"careful", sample::mode::careful}}, "");
    };
    CHECK(problems_of("", read_mode).empty());
    CHECK(how == static_cast<sample::mode>(99));
    CHECK(problems_of("mode: careful", read_mode).empty());
    CHECK(how == sample::mode::careful);
}
