// The parts of a message's content and of a tool's output.
#pragma once

#include "dialects/responses/fields.hpp"

namespace sluice::chat::responses {

// `content` is a string or an array of parts; appends to `out`.
void read_parts(checker& check, const json_value& content, const place& where, text_arena& arena,
                std::vector<part>& out);

// Leaves out members that say what their absence says.
void drop_default(extra_fields& extras, std::string_view key, json value);

}  // namespace sluice::chat::responses
