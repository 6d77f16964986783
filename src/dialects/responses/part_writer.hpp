// Parts as they stand in the content of a message or in the output of a tool.
#pragma once

#include "dialects/losses.hpp"
#include "http/json_writer.hpp"

#include <sluice/conversation.hpp>

namespace sluice::chat::responses {

enum class side : std::uint8_t { input, output };  // output: what the model said

// What all writing of one request shares.
struct writing {
    const conversation& c;
    losses& lost;
    text_arena& arena;
    bool own;  // the conversation was read by this dialect: its extras and native items are understood
};

// Members of `extras` where they are understood, hints where they are not. `at` is the place with a dot behind.
void write_extras(const extra_fields& extras, const std::string& at, writing& x, http::json_writer& w);

// Can it stand there at all? Else it is an item of its own.
bool is_inline(const part& p, side s);
// A part as an object. What cannot be said there is left out (feature).
result<void> write_part(const part& p, const std::string& at, side s, writing& x, http::json_writer& w);
// All of a tool's output: a string where it is one text.
result<void> write_output(const tool_result& r, const std::string& at, writing& x, http::json_writer& w);
// A single text that needs no object around it; nullptr for anything else.
const text_part* plain_text(const part& p);

}  // namespace sluice::chat::responses
