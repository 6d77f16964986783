#include "stages/rewrite/rewrite_config.hpp"

#include "unit/config/support.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::rewrite;

namespace {

config::testing::lines problems(std::string_view yaml, rewrite_config& c) {
    return config::testing::problems_of(yaml, [&](config_reader& r) { read(r, c); });
}

bool complains(std::string_view yaml, std::string_view of) {
    rewrite_config c;
    const auto found = problems(yaml, c);
    for (const std::string& line : found) {
        if (line.find(of) != std::string::npos) return true;
    }
    for (const std::string& line : found) UNSCOPED_INFO(line);
    return false;
}

}  // namespace

TEST_CASE("a whole rewrite section is read") {
    rewrite_config c;
    const auto found = problems(R"(
request_headers: {set: {x-team: "{{key}}"}, add: {x-tag: a}, remove: [x-debug]}
response_headers: {remove: [x-internal]}
body:
  remove: [user]
  default: {max_tokens: 1024}
  set: {metadata: {source: gateway}}
  clamp: {max_tokens: {max: 4096}, temperature: {min: 0, max: 1.5}}
messages:
  prepend: [{role: system, content: "You serve {{tenant}}."}]
templates:
  - name: translate
    body: {messages: [{role: user, content: "Translate {{text}}"}], temperature: 0}
)",
                                c);
    CHECK(found.empty());
    CHECK(c.touches_body());
    CHECK(c.body.defaults.at("max_tokens") == "1024");
    CHECK(c.body.set.at("metadata") == R"({"source":"gateway"})");
    CHECK(c.body.clamp.at("max_tokens").max == 4096);
    CHECK_FALSE(c.body.clamp.at("max_tokens").min);
    CHECK(c.templates.at(0).body.at("messages") == R"([{"role":"user","content":"Translate {{text}}"}])");
}

TEST_CASE("rules that cannot work are problems of the configuration") {
    CHECK(complains("request_headers: {set: {content-length: \"1\"}}", "not a header that can be set"));
    CHECK(complains("request_headers: {set: {host: a}}", "not a header that can be set"));
    CHECK(complains("request_headers: {remove: [transfer-encoding]}", "not a header that can be removed"));
    CHECK(complains("request_headers: {set: {x-a: \"{{kay}}\"}}", "there is no {{kay}}"));
    CHECK(complains("request_headers: {set: {x-a: \"{{key\"}}", "{{ without its }}"));
    CHECK(complains("messages: {prepend: [{role: robot, content: a}]}", "is no role"));
    CHECK(complains("messages: {prepend: [{role: user, content: \"{{}}\"}]}", "without a name"));
    CHECK(complains("body: {clamp: {n: {}}}", "needs min, max or both"));
    CHECK(complains("body: {clamp: {n: {min: 2, max: 1}}}", "larger than max"));
    CHECK(complains("templates: [{name: a, body: {p: \"{{x\"}}]", "{{ without its }}"));
    CHECK(complains("templates: [{name: a, body: {p: b}}, {name: a, body: {p: b}}]", "already a template"));
}

TEST_CASE("an empty section changes nothing") {
    rewrite_config c;
    CHECK(problems("{}", c).empty());
    CHECK_FALSE(c.touches_body());
}
