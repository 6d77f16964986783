// Whole answers of the Messages API, and the blocks that answers and streams are made of.
#pragma once

#include "dialects/dialect.hpp"

#include <string>

namespace sluice::chat::anthropic {

// Error: upstream_protocol.
result<void> read_message(std::string_view body, answer& out);
// One block of an answer, tolerant: what it lacks is empty, a type that is not known becomes a native part. Views lead
// into `block`, which must be validated. False: it is no object with a type.
bool read_answer_block(json block, text_arena& arena, part& out);

void write_message(const answer& a, const client_call& call, std::string& out);

// A part as one whole block, as it stands in an answer. `number` counts the parts, for the id of a call that has none.
// False: no block can say it (a native part of another dialect, an audio), and nothing was appended.
bool write_answer_block(const part& p, std::string_view request_id, std::size_t number, std::string& out);

}  // namespace sluice::chat::anthropic
