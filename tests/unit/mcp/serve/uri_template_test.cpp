#include "mcp/serve/uri_template.hpp"

#include <catch2/catch.hpp>

namespace sluice::mcp {

TEST_CASE("templates of URIs match whole segments") {
    CHECK(match_template("test://a/{id}/data", "test://a/123/data"));
    CHECK_FALSE(match_template("test://a/{id}/data", "test://a/1/2/data"));
    CHECK_FALSE(match_template("test://a/{id}/data", "test://a//data"));
    CHECK_FALSE(match_template("test://a/{id}/data", "test://a/123"));
    CHECK(match_template("file:///{+path}", "file:///a/b"));
    CHECK(match_template("x://{a}-{b}", "x://1-2"));
    CHECK(match_template("x://{a}.txt", "x://a.txt.txt"));
    CHECK_FALSE(match_template("x://{a}", "x://"));
    CHECK(match_template("x://plain", "x://plain"));
    CHECK_FALSE(match_template("x://plain", "x://plain2"));
    CHECK_FALSE(match_template("x://{broken", "x://1"));
}

TEST_CASE("a template's expressions stand for parts of the URI") {
    CHECK(match_template("x://{a}/{+rest}.txt", "x://1/b/c.txt.txt") ==
          template_values{{"a", "1"}, {"rest", "b/c.txt"}});
    CHECK(match_template("x://plain", "x://plain") == template_values{});
}

}  // namespace sluice::mcp
