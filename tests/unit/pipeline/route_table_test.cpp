#include "pipeline/route_table.hpp"

#include "unit/config/support.hpp"

#include <catch2/catch.hpp>

using namespace sluice;

namespace {

bool matches(std::string_view pattern, std::string_view path) {
    return path_pattern(pattern).matches(path);
}

route make_route(std::string name, match_config match) {
    route r;
    r.name = std::move(name);
    for (const std::string& path : match.paths) r.paths.emplace_back(path);
    r.match = std::move(match);
    return r;
}

request_head request(std::string method, std::string host = "api.example.com") {
    request_head head;
    head.method = std::move(method);
    head.host = std::move(host);
    return head;
}

bool host_matches(const std::string& pattern, const std::string& host) {
    match_config match;
    match.hosts = {pattern};
    return make_route("r", match).matches(request("GET", host), "/");
}

}  // namespace

TEST_CASE("a literal path matches itself and nothing else") {
    CHECK(matches("/v1/models", "/v1/models"));
    CHECK_FALSE(matches("/v1/models", "/v1/models/"));
    CHECK_FALSE(matches("/v1/models", "/v1/models/x"));
    CHECK_FALSE(matches("/v1/models", "/v1/model"));
    CHECK_FALSE(matches("/v1/models", "/v1"));
    CHECK_FALSE(matches("/v1/models", "/V1/models"));
    CHECK_FALSE(matches("/v1/models", "/v1//models"));
    CHECK(matches("/v1/models/", "/v1/models/"));
    CHECK_FALSE(matches("/v1/models/", "/v1/models"));
}

TEST_CASE("a name in braces or a star takes exactly one segment, which is not empty") {
    for (const auto* pattern : {"/v1/files/{id}/content", "/v1/files/*/content"}) {
        CAPTURE(pattern);
        CHECK(matches(pattern, "/v1/files/f-1/content"));
        CHECK_FALSE(matches(pattern, "/v1/files//content"));
        CHECK_FALSE(matches(pattern, "/v1/files/a/b/content"));
        CHECK_FALSE(matches(pattern, "/v1/files/f-1"));
    }
}

TEST_CASE("a star at the end takes everything below, and the place itself") {
    CHECK(matches("/v1/*", "/v1/models"));
    CHECK(matches("/v1/*", "/v1/a/b/c"));
    CHECK(matches("/v1/*", "/v1/"));
    CHECK(matches("/v1/*", "/v1"));
    CHECK_FALSE(matches("/v1/*", "/v10/models"));
    CHECK_FALSE(matches("/v1/*", "/"));
    CHECK(matches("/*", "/anything/at/all"));
}

TEST_CASE("a host matches without its port and without regard to case") {
    CHECK(host_matches("api.example.com", "api.example.com"));
    CHECK(host_matches("API.example.com", "api.example.com:8080"));
    CHECK_FALSE(host_matches("api.example.com", "api.example.com.evil.test"));
    CHECK(host_matches("[::1]", "[::1]:8080"));
    CHECK(host_matches("[::1]", "[::1]"));
}

TEST_CASE("a star before a domain stands for its subdomains, not for the domain") {
    CHECK(host_matches("*.example.com", "a.example.com"));
    CHECK(host_matches("*.example.com", "a.b.example.com:443"));
    CHECK_FALSE(host_matches("*.example.com", "example.com"));
    CHECK_FALSE(host_matches("*.example.com", ".example.com"));
    CHECK_FALSE(host_matches("*.example.com", "notexample.com"));
}

TEST_CASE("a header matches by pattern, by presence or by absence") {
    match_config match;
    match.headers = {{"x-version", "2*"}, {"x-any", "*"}, {"x-none", ""}};
    const route r = make_route("r", match);
    request_head head = request("GET");
    head.headers.add("X-Version", "2.1");
    CHECK_FALSE(r.matches(head, "/"));
    head.headers.add("X-Any", "");
    CHECK(r.matches(head, "/"));
    head.headers.set("x-version", "3");
    CHECK_FALSE(r.matches(head, "/"));
    head.headers.set("x-version", "2");
    CHECK(r.matches(head, "/"));
    head.headers.add("X-None", "here");
    CHECK_FALSE(r.matches(head, "/"));
}

TEST_CASE("the first route that matches serves") {
    route_table table;
    match_config posts, below, all;
    posts.methods = {"POST"};
    posts.paths = {"/v1/chat", "/v1/embeddings"};
    below.paths = {"/v1/*"};
    below.hosts = {"api.example.com"};
    table.routes.push_back(make_route("posts", posts));
    table.routes.push_back(make_route("below", below));
    const auto name = [&](const request_head& head, std::string_view path) {
        const route* found = table.find(head, path);
        return found == nullptr ? std::string("none") : found->name;
    };
    CHECK(name(request("POST"), "/v1/chat") == "posts");
    CHECK(name(request("POST"), "/v1/embeddings") == "posts");
    CHECK(name(request("GET"), "/v1/chat") == "below");
    CHECK(name(request("post"), "/v1/chat") == "below");
    CHECK(name(request("GET", "other.test"), "/v1/chat") == "none");
    table.routes.push_back(make_route("all", all));
    CHECK(name(request("GET", "other.test"), "/x") == "all");
}

TEST_CASE("a path that begins without a slash is a problem of the configuration") {
    match_config c;
    const auto found = config::testing::problems_of("path: [v1/models, /v1]", [&](config_reader& r) { read(r, c); });
    REQUIRE(found.size() == 1);
    CHECK(found.front().find("a path begins with '/', got \"v1/models\"") != std::string::npos);
}
