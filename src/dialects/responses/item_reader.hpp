// The items of an input or an output, as messages.
//
// One turn of the assistant comes as several items (reasoning, message, calls) and becomes one message; the outputs of
// its tools become one message of the user. So the neighbours that other dialects expect stand together.
#pragma once

#include "dialects/responses/part_reader.hpp"

namespace sluice::chat::responses {

// How a signature of a call, which items have no place for, travels through a client: as a reasoning item of its own
// behind the call, whose encrypted content is "<family>:call:<signature>:<id of the call>".
inline constexpr std::string_view call_mark = "call:";

class item_reader {
public:
    // All outlive the reader.
    item_reader(checker& check, text_arena& arena, std::vector<message>& out)
        : check_(check), arena_(arena), out_(out) {}

    void read(const json_value& item, const place& where);
    // All items are of one turn of the model, also those that a client would send, and each message's first part has
    // the `item` of it: an answer has no other place for ids.
    void one_turn() { one_turn_ = true; }

private:
    enum class run : std::uint8_t { none, turn, results };

    message& in(run r);
    void read_message(const json_value& item, fields& f);
    void read_call(fields& f, tool_call::kind kind);
    void read_output(fields& f, tool_call::kind kind);
    void read_reasoning(fields& f);
    void read_native(const json_value& item, json type);
    bool read_image_call(fields& f);
    void sign_call(json_chars mark, family from);
    json envelope(const json_value& item);

    checker& check_;
    text_arena& arena_;
    std::vector<message>& out_;
    run run_ = run::none;
    bool one_turn_ = false;
    bool has_message_ = false;  // the turn holds a message item
};

}  // namespace sluice::chat::responses
