// What the tests of this dialect share.
#pragma once

#include "dialects/anthropic/anthropic.hpp"
#include "dialects/values.hpp"
#include "unit/dialects/request.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::chat::anthropic::test {

using chat::testing::make;
using chat::testing::read;

struct request : chat::testing::request {
    explicit request(std::string text, const client_call& call = {})
        : chat::testing::request(messages_client(), std::move(text), call) {}
};

struct written {
    std::string text;
    std::vector<std::string> dropped;
    error refused;  // with a message when there is no text
};

inline written write(const conversation& c, std::string_view model = "claude-sonnet-4-5", bool drop = false,
                     const upstream_dialect& to = messages_upstream()) {
    losses lost("claude (test)", drop);
    written w;
    const auto done = to.write_request(c, {model}, lost, w.text);
    w.dropped = lost.dropped();
    if (!done) {
        CHECK(w.text.empty());
        w.refused = done.error();
        return w;
    }
    INFO(w.text);
    CHECK(validate_json(w.text).has_value());
    return w;
}

// A conversation of another dialect with one text of a user.
inline conversation hello() {
    conversation c;
    c.dialect = "openai.chat";
    c.messages.push_back({role::user, {{text_part{R"("Hi")", {}, {}}}}, {}, {}, {}});
    return c;
}

// The members behind the messages of what is written for `c`.
inline std::string options_of(const conversation& c, std::string_view model = "claude-sonnet-4-5") {
    const std::string text = write(c, model).text;
    const std::string_view messages = R"("messages":[{"role":"user","content":"Hi"}])";
    const auto at = text.find(messages);
    REQUIRE(at != std::string::npos);
    const auto head = text.find(R"("max_tokens":)");
    return text.substr(head, at - head) + text.substr(at + messages.size());
}

}  // namespace sluice::chat::anthropic::test
