#include "http/path.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <utility>

using namespace sluice;
using namespace sluice::http;
using namespace std::literals;

TEST_CASE("percent-escapes become bytes, and nothing else changes") {
    CHECK(percent_decode("a%20b%2Fc+%00"sv).value() == "a b/c+\0"s);
    CHECK(percent_decode("%e4%B8%ad").value() == "\xe4\xb8\xad");
    CHECK(percent_decode("").value().empty());
    CHECK(percent_decode("%2525").value() == "%25");
    for (const auto bad : {"%"sv, "%1"sv, "a%g0"sv, "%0g"sv, "%%20"sv, "% 1"sv, "%+1"sv})
        CHECK_FALSE(percent_decode(bad).has_value());
}

TEST_CASE("what is encoded is decoded") {
    std::string all;
    for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
    std::string encoded;
    percent_encode(encoded, all);
    CHECK(encoded.find_first_of(" /?#&=+\r\n") == std::string::npos);
    CHECK(percent_decode(encoded).value() == all);
    std::string plain;
    percent_encode(plain, "aZ09-._~");
    CHECK(plain == "aZ09-._~");
}

TEST_CASE("a path has one spelling for routes") {
    for (const auto& [path, normal] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
             {"/", "/"},
             {"/v1/chat", "/v1/chat"},
             {"*", "*"},
             {"/.", "/"},
             {"/..", "/"},
             {"/../..", "/"},
             {"/../a", "/a"},
             {"/a/.", "/a/"},
             {"/a/..", "/"},
             {"/a/./b", "/a/b"},
             {"/a/../b", "/b"},
             {"/a/b/../../c", "/c"},
             {"/a/b/..", "/a/"},
             {"/a/...", "/a/..."},
             {"/a/.b", "/a/.b"},
             {"/a/..b/.c.", "/a/..b/.c."},
             {"/a//b", "/a//b"},
             {"//a/", "//a/"},
             {"/a//../b", "/a/b"},
             {"/a//..", "/a/"},
             {"/%61dmin", "/admin"},
             {"/a/%2e%2E/b", "/b"},
             {"/a/.%2e/b", "/b"},
             {"/a/%2e", "/a/"},
             {"/a%2fb", "/a%2Fb"},
             {"/a/..%2Fb", "/a/..%2Fb"},
             {"/a%5cb", "/a%5Cb"},
             {"/%252e%252e/a", "/%252e%252e/a"},
             {"/%e4%b8%ad", "/%E4%B8%AD"},
             {"/a%20b%0a", "/a%20b%0A"},
             {"/%7Euser", "/~user"},
         }) {
        INFO(path);
        CHECK(normalise_path(path).value() == normal);
        CHECK(normalise_path(normal).value() == normal);
    }
    for (const auto bad : {""sv, "a"sv, "/%"sv, "/%2"sv, "/%zz"sv, "/a%00"sv, "./a"sv, "%2fa"sv}) {
        INFO(bad);
        CHECK_FALSE(normalise_path(bad).has_value());
    }
}

TEST_CASE("a plain path is passed through without a copy") {
    std::string scratch;
    const auto path = "/v1/chat/completions"sv;
    CHECK(normalise_path(path, scratch).value().data() == path.data());
    const auto changed = normalise_path("/v1/../v2", scratch);
    CHECK(changed.value() == "/v2");
    CHECK(changed.value().data() == scratch.data());
}

TEST_CASE("parameters of a query are found by name and decoded") {
    const auto query = "a=1&b=two+words&c=%26%3D&a=2&flag&d=&%65=e&&bad=%g"sv;
    CHECK(query_parameter(query, "a") == "1");
    CHECK(query_parameter(query, "b") == "two words");
    CHECK(query_parameter(query, "c") == "&=");
    CHECK(query_parameter(query, "flag") == "");
    CHECK(query_parameter(query, "d") == "");
    CHECK(query_parameter(query, "e") == "e");
    CHECK_FALSE(query_parameter(query, "bad"));
    CHECK_FALSE(query_parameter(query, "x"));
    CHECK_FALSE(query_parameter("", "a"));
    CHECK(query_parameter("a=b=c", "a") == "b=c");
}

TEST_CASE("a query gets one parameter of a name, whatever spellings of it were there") {
    CHECK(query_with("", "model", "a b") == "model=a%20b");
    CHECK(query_with("model=x&limit=2", "model", "y") == "limit=2&model=y");
    CHECK(query_with("a=%2F+&m%6Fdel=x&&model&flag", "model", "y") == "a=%2F+&flag&model=y");
    CHECK(query_with("m%zz=1&b", "model", "y") == "b&model=y");
}

TEST_CASE("a parameter is added behind what is there") {
    const auto added = [](std::string target) {
        append_query(target, "k y", "v&=");
        return target;
    };
    CHECK(added("/a") == "/a?k%20y=v%26%3D");
    CHECK(added("/a?b=c") == "/a?b=c&k%20y=v%26%3D");
    CHECK(added("/a?") == "/a?k%20y=v%26%3D");
    CHECK(added("/a?b&") == "/a?b&k%20y=v%26%3D");
    std::string target{"/a"};
    append_query(target, "x", "1 2");
    CHECK(query_parameter(target.substr(target.find('?') + 1), "x") == "1 2");
}
