// From the messages of a conversation to the turns that the Messages API takes: what it cannot say is left out or
// refused here, so that what is left can be written without a further look.
#pragma once

#include "dialects/anthropic/terms.hpp"
#include "dialects/losses.hpp"

#include <sluice/conversation.hpp>
#include <sluice/result.hpp>

#include <optional>
#include <string_view>
#include <vector>

namespace sluice::chat::anthropic {

// One part that will be written. Pointers lead into the conversation.
struct block {
    const part* from = nullptr;
    json id = {};                     // of a call, or of the call that a result answers; of characters that are taken
    json input = {};                  // of a call: object
    json text = {};                   // a document that came in base64, an object as a result: as text
    std::vector<block> content = {};  // of a result
};

// Neighbours of one role are one turn. A turn has at least one block.
struct turn {
    role who = role::user;
    std::vector<block> blocks;
    const extra_fields* extras = nullptr;  // of a message of this dialect
};

struct turns {
    std::vector<block> system;  // for the top-level place
    std::vector<turn> rest;
};

// `arena` holds what was made; it must live as long as the result is used.
result<turns> make_turns(const conversation& c, const variant& v, losses& lost, text_arena& arena);

}  // namespace sluice::chat::anthropic
