#include "dialects/token_estimate.hpp"

#include <catch2/catch.hpp>

using namespace sluice::chat;

namespace {

conversation saying(json text) {
    conversation c;
    message m;
    m.content.push_back({text_part{text, {}, {}}});
    c.messages.push_back(m);
    return c;
}

}  // namespace

TEST_CASE("prose is a token per four letters, other scripts one per character", "[dialects][tokens]") {
    CHECK(estimate_tokens(conversation{}) == 3);
    CHECK(estimate_tokens(saying(R"("")")) == 7);
    CHECK(estimate_tokens(saying(R"("abcd")")) == 8);
    CHECK(estimate_tokens(saying(R"("abcde")")) == 9);
    CHECK(estimate_tokens(saying("\"\xe6\xbc\xa2\xe5\xad\x97\"")) == 9);
}

TEST_CASE("images, tools and what tools answered count too", "[dialects][tokens]") {
    conversation c;
    message m;
    media_part image;
    image.base64 = "AAAA";
    m.content.push_back({image});
    tool_result r;
    r.content.push_back({text_part{R"("abcdefgh")", {}, {}}});
    m.content.push_back({r});
    c.messages.push_back(m);
    CHECK(estimate_tokens(c) == 3 + 4 + 1600 + 8 + 2);
    tool t;
    t.name = R"("name")";
    t.parameters = R"({"type":"object"})";
    c.tools.push_back(t);
    CHECK(estimate_tokens(c) == 3 + 4 + 1600 + 8 + 2 + 8 + 1 + 5);
}
