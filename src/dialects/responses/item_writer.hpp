// The messages of a conversation as the items of a request's input.
#pragma once

#include "dialects/responses/part_writer.hpp"

namespace sluice::chat::responses {

// Does the conversation begin with what is to stand in `instructions`?
const text_part* instructions_of(const conversation& c);
// The elements of `input`, without the brackets; not what instructions_of() gives.
result<void> write_items(writing& x, http::json_writer& w);

// One reasoning item of all parts in [first, last), with `secret` (inside of a JSON string; may be empty). The object
// is left open. For history and answers alike.
void write_reasoning(const part* first, const part* last, json id, json_chars secret, text_arena& arena,
                     http::json_writer& w);
// Behind the last part of the reasoning item that begins at `first`, a reasoning_part.
const part* reasoning_end(const part* first, const part* end);

}  // namespace sluice::chat::responses
