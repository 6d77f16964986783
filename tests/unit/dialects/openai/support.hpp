// What the tests of this dialect share.
#pragma once

#include "dialects/openai/openai.hpp"
#include "dialects/values.hpp"
#include "unit/dialects/request.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::chat::openai::test {

using strings = std::vector<std::string>;

using chat::testing::make;
using chat::testing::read;

struct request : chat::testing::request {
    explicit request(std::string text) : chat::testing::request(chat_client(), std::move(text)) {}
};

// A request of these messages alone.
inline std::string messages(const std::string& list) {
    return R"({"model":"m","messages":[)" + list + "]}";
}

struct written {
    std::string text;
    strings dropped;
    error refused;  // with a message when it was refused
};

inline written write(const conversation& c, const chat_quirks& q = {}, bool drop = false) {
    losses lost("gpt (test)", drop);
    written w;
    const auto done = chat_upstream(q).write_request(c, {"up"}, lost, w.text);
    w.dropped = lost.dropped();
    if (!done) {
        w.refused = done.error();
        return w;
    }
    INFO(w.text);
    CHECK(validate_json(w.text).has_value());
    return w;
}

// The messages of what is written for `c`.
inline std::string messages_of(const written& w) {
    std::string found;
    each_member(w.text, [&](std::string_view key, const json_value& v) {
        if (key == "messages") found = v.raw;
    });
    return found;
}

// The members behind the messages.
inline std::string options_of(const written& w) {
    const std::string messages = messages_of(w);
    const auto at = w.text.find(messages) + messages.size();
    return at < w.text.size() ? w.text.substr(at) : std::string{};
}

inline message user(std::vector<part> content) {
    return {role::user, std::move(content), {}, {}, {}};
}
inline message assistant(std::vector<part> content) {
    return {role::assistant, std::move(content), {}, {}, {}};
}
inline part text(json t) {
    return {text_part{t, {}, {}}};
}

// A conversation of another dialect with one text of a user.
inline conversation hello() {
    conversation c;
    c.dialect = "anthropic.messages";
    c.messages.push_back(user({text(R"("Hi")")}));
    return c;
}

}  // namespace sluice::chat::openai::test
