#include "stages/rewrite/rewrite_config.hpp"

#include "unit/config/support.hpp"

#include <catch2/catch.hpp>

#include <functional>

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

TEST_CASE("a rule for a header that the gateway owns is a problem, with a hint") {
    for (const auto* name : {"x-request-id", "X-Forwarded-For", "x-forwarded-proto", "forwarded", "x-real-ip",
                             "traceparent", "tracestate", "x-sluice-a", "x-gateway-a"}) {
        CAPTURE(name);
        const std::string n = name;
        CHECK(complains("request_headers: {set: {" + n + ": a}}", "is the gateway's own"));
        CHECK(complains("request_headers: {add: {" + n + ": a}}", "remove this rule"));
        CHECK(complains("request_headers: {remove: [" + n + "]}", "is the gateway's own"));
    }
    for (const auto* name : {"connection", "te", "proxy-authorization", "upgrade", "expect", "trailer"}) {
        CAPTURE(name);
        CHECK(complains("request_headers: {add: {" + std::string(name) + ": a}}", "not a header that can be set"));
        CHECK(complains("response_headers: {remove: [" + std::string(name) + "]}", "can be removed"));
    }
    CHECK(complains("response_headers: {set: {X-Request-ID: a}}", "every reply carries it"));
}

TEST_CASE("a credential that a rule sets would not leave the gateway: the hint says where it belongs") {
    for (const auto* name : {"authorization", "Cookie", "x-api-key", "api-key", "x-goog-api-key"}) {
        CAPTURE(name);
        CHECK(complains("request_headers: {set: {" + std::string(name) + ": a}}", "give the provider `credentials`"));
        CHECK(complains("request_headers: {add: {" + std::string(name) + ": a}}", "never leaves the gateway"));
    }
    // A service that gets the client's credentials may be kept from some of them.
    rewrite_config c;
    CHECK(problems("request_headers: {remove: [cookie]}", c).empty());
    CHECK(problems("response_headers: {set: {x-forwarded-for: a}, remove: [set-cookie]}", c).empty());
}

TEST_CASE("no text may tell a client's credential") {
    for (const auto* name :
         {"authorization", "Cookie", "X-API-Key", "api-key", "x-goog-api-key", "proxy-authorization"}) {
        CAPTURE(name);
        const std::string place = "{{header:" + std::string(name) + "}}";
        CHECK(complains("messages: {prepend: [{role: system, content: \"a " + place + "\"}]}", "client's credential"));
        CHECK(complains("messages: {append: [{role: user, content: \"{{ " + place.substr(2) + "\"}]}",
                        "client's credential"));
        CHECK(complains("request_headers: {set: {x-a: \"" + place + "\"}}", "client's credential"));
        CHECK(complains("response_headers: {add: {x-a: \"" + place + "\"}}", "client's credential"));
    }
}

TEST_CASE("there are at most 64 rules of a kind") {
    const auto list = [](std::size_t n, const std::function<std::string(std::string)>& item) {
        std::string out;
        for (std::size_t i = 0; i < n; ++i) out += (i == 0 ? "" : ", ") + item("f" + std::to_string(i));
        return out;
    };
    const auto names = [&](std::size_t n) { return "[" + list(n, [](std::string f) { return f; }) + "]"; };
    const auto map = [&](std::size_t n, std::string value) {
        return "{" + list(n, [&](std::string f) { return f + ": " + value; }) + "}";
    };
    const auto all = [&](std::size_t n) {
        const auto message = [](std::string) { return std::string("{role: user, content: a}"); };
        return std::vector<std::string>{
            "request_headers: {remove: " + names(n) + "}",
            "request_headers: {set: " + map(n, "a") + "}",
            "response_headers: {add: " + map(n, "a") + "}",
            "body: {remove: " + names(n) + "}",
            "body: {default: " + map(n, "1") + "}",
            "body: {set: " + map(n, "1") + "}",
            "body: {clamp: " + map(n, "{max: 1}") + "}",
            "messages: {prepend: [" + list(n, message) + "]}",
            "messages: {append: [" + list(n, message) + "]}",
            "templates: [" + list(n, [](std::string f) { return "{name: " + f + ", body: {a: 1}}"; }) + "]",
            "templates: [{name: a, body: " + map(n, "1") + "}]",
        };
    };
    for (const std::string& yaml : all(65)) CHECK(complains(yaml, "at most 64"));
    for (const std::string& yaml : all(64)) {
        rewrite_config c;
        CHECK(problems(yaml, c).empty());
    }
}

TEST_CASE("a text of a prompt has at most 64 KiB") {
    const std::string fits(64 << 10, 'a'), large = fits + "a";
    const auto message = [](const std::string& text) {
        return "messages: {prepend: [{role: system, content: " + text + "}]}";
    };
    CHECK(complains(message(large), "at most 64 KiB"));
    CHECK(complains("templates: [{name: a, body: {prompt: " + fits + "}}]", "at most 64 KiB"));  // with its quotes
    CHECK(complains("request_headers: {set: {x-a: " + large + "}}", "at most 8 KiB"));
    rewrite_config c;
    CHECK(problems(message(fits), c).empty());
}

TEST_CASE("bounds for a field that rules make no number are a problem") {
    CHECK(complains("body: {set: {n: many}, clamp: {n: {max: 1}}}", "is no number"));
    CHECK(complains("body: {default: {n: [1]}, clamp: {n: {max: 1}}}", "is no number"));
    CHECK(complains("body: {clamp: {n: {max: .inf}}}", "finite"));
    rewrite_config c;
    CHECK(problems("body: {set: {n: -1}, default: {m: 2, o: null}, clamp: {n: {max: 1}, m: {min: 0}, o: {min: 0}}}", c)
              .empty());
}

TEST_CASE("an empty section changes nothing") {
    rewrite_config c;
    CHECK(problems("{}", c).empty());
    CHECK_FALSE(c.touches_body());
}
