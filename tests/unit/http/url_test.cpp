#include "http/url.hpp"

#include "http/authority.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace sluice;
using namespace sluice::http;
using namespace std::literals;

TEST_CASE("a URL falls into what a connection needs") {
    const auto u = parse_url("HTTPS://API.Example.com/v1/models?limit=2");
    REQUIRE(u.has_value());
    CHECK(u->scheme == "https");
    CHECK(u->host == "api.example.com");
    CHECK(u->port == 443);
    CHECK(u->tls);
    CHECK(u->path_and_query == "/v1/models?limit=2");
    CHECK(u->authority() == "api.example.com");
    CHECK(u->text() == "https://api.example.com/v1/models?limit=2");
}

TEST_CASE("ports and schemes fit together") {
    CHECK(parse_url("http://a")->port == 80);
    CHECK_FALSE(parse_url("http://a")->tls);
    CHECK(parse_url("ws://a")->port == 80);
    CHECK(parse_url("wss://a")->port == 443);
    CHECK(parse_url("wss://a")->tls);
    CHECK(parse_url("http://a:8080")->authority() == "a:8080");
    CHECK(parse_url("http://a:80")->authority() == "a");
    CHECK(parse_url("https://a:80")->authority() == "a:80");
    CHECK(parse_url("http://a:443")->authority() == "a:443");
}

TEST_CASE("a URL always has a path") {
    CHECK(parse_url("http://a")->path_and_query == "/");
    CHECK(parse_url("http://a?b")->path_and_query == "/?b");
    CHECK(parse_url("http://a/")->path_and_query == "/");
    CHECK(parse_url("http://a/model/x.y-v2%3A0/invoke:go")->path_and_query == "/model/x.y-v2%3A0/invoke:go");
}

TEST_CASE("IPv6 literals lose their brackets and get them back") {
    const auto u = parse_url("http://[2001:DB8::1]:9000/x");
    REQUIRE(u.has_value());
    CHECK(u->host == "2001:db8::1");
    CHECK(u->port == 9000);
    CHECK(u->authority() == "[2001:db8::1]:9000");
    CHECK(parse_url("https://[::ffff:127.0.0.1]")->host == "::ffff:127.0.0.1");
}

TEST_CASE("what is not plainly a URL is refused") {
    for (const auto text : {""sv,
                            "a"sv,
                            "/v1"sv,
                            "http:"sv,
                            "http:/a"sv,
                            "http://"sv,
                            "http:///x"sv,
                            "://a"sv,
                            "ftp://a"sv,
                            "httpss://a"sv,
                            " http://a"sv,
                            "http://a "sv,
                            "http://a b"sv,
                            "http://u@a"sv,
                            "http://u:p@a/"sv,
                            "http://@a"sv,
                            "http://a#f"sv,
                            "http://a/#"sv,
                            "http://a:"sv,
                            "http://a:0"sv,
                            "http://a:65536"sv,
                            "http://a:1x"sv,
                            "http://a:-1"sv,
                            "http://a:+1"sv,
                            "http://a:000080"sv,
                            "http://[::1"sv,
                            "http://[]"sv,
                            "http://[::g]"sv,
                            "http://[::1]x"sv,
                            "http://[::1%25lo]"sv,
                            "http://[v1.x]"sv,
                            "http://::1"sv,
                            "http://a%41"sv,
                            "http://a,b"sv,
                            "http://a\\b"sv,
                            "http://a/\r\nX: 1"sv,
                            "http://a\r\n"sv,
                            "http://a/\0"sv,
                            "http://a\0"sv,
                            "http://[::1\0]"sv,
                            "http://\xc3\xa9"sv,
                            "http://a/\xc3\xa9"sv,
                            "http://a/{x}"sv,
                            "http://a/%"sv,
                            "http://a/%1"sv,
                            "http://a/%zz"sv,
                            "http://a/a b"sv}) {
        INFO(text);
        CHECK_FALSE(parse_url(text).has_value());
    }
    CHECK_FALSE(parse_url("http://a/" + std::string(url_bytes_max, 'x')).has_value());
    CHECK_FALSE(parse_url("http://" + std::string(256, 'x')).has_value());
    CHECK(parse_url("http://" + std::string(255, 'x')).has_value());
}

TEST_CASE("a refusal does not repeat the URL, which may hold a key") {
    const auto u = parse_url("https://user:canary@a/?key=canary");
    REQUIRE(u.has_error());
    CHECK(u.error().kind == error_kind::bad_request);
    CHECK(u.error().message.find("canary") == std::string::npos);
}

TEST_CASE("a URL written out parses back to itself") {
    for (const auto text : {"http://a/"sv, "https://a.b:1/c?d=e/f?g"sv, "ws://[::1]:2/x"sv, "wss://A-b_c.~/%41"sv}) {
        const auto once = parse_url(text);
        REQUIRE(once.has_value());
        const auto twice = parse_url(once->text());
        REQUIRE(twice.has_value());
        CHECK(twice->text() == once->text());
        CHECK(twice->path_and_query == once->path_and_query);
    }
}

TEST_CASE("an authority falls into host and port") {
    const auto plain = parse_authority("Example.com:8080");
    REQUIRE(plain);
    CHECK(plain->host == "Example.com");
    CHECK(plain->port == 8080);
    CHECK_FALSE(plain->ipv6);
    const auto six = parse_authority("[::1]");
    REQUIRE(six);
    CHECK(six->host == "::1");
    CHECK(six->port == 0);
    CHECK(six->ipv6);
    CHECK(parse_authority("127.0.0.1:65535")->port == 65535);
}

TEST_CASE("an authority is written with brackets around a bare IPv6 literal and around nothing else") {
    CHECK(write_authority("example.com", 8080) == "example.com:8080");
    CHECK(write_authority("10.0.0.1", 80) == "10.0.0.1:80");
    CHECK(write_authority("fd00::1", 8000) == "[fd00::1]:8000");
    CHECK(write_authority("[fd00::1]", 8000) == "[fd00::1]:8000");
    CHECK(write_authority("example.com", 0) == "example.com");
    CHECK(write_authority("::1", 0) == "[::1]");
    CHECK(write_authority("::1", 65535) == "[::1]:65535");
}
