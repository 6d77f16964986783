// Reads what clients of the Messages API ask.
#pragma once

#include "dialects/anthropic/fields.hpp"
#include "dialects/dialect.hpp"

namespace sluice::chat::anthropic {

result<void> read_messages_request(const json_object& body, const client_call& call, conversation& out);

// One block of a message. Error: of the check. Blocks that only this dialect has become native parts; a type that no
// version of the API has is refused.
part read_block(request_check& check, const json_value& block, const place& where, role who, text_arena& arena);
// `content` of a message, of a tool's result or `system`: a string is one text.
std::vector<part> read_content(request_check& check, const json_value& content, const place& where, role who,
                               text_arena& arena);

}  // namespace sluice::chat::anthropic
