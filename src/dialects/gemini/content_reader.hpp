// `contents` of Gemini: turns and their parts.
#pragma once

#include <sluice/conversation.hpp>
#include <sluice/json.hpp>
#include <sluice/result.hpp>

#include <string>
#include <vector>

namespace sluice::chat::gemini {

// The parts of one content, of a request or of an answer. Calls without an id get "<id_prefix><n>", where n counts from
// `calls` on. In an answer a signature of a plain text is left out: only who keeps Gemini's own form can send it back.
struct part_source {
    std::string at;         // "contents[2]"
    std::string id_prefix;  // "call_2_"
    bool answer = false;
    int calls = 0;
};
result<void> read_parts(json parts, part_source& from, text_arena& arena, std::vector<part>& out);

// `contents`, a list or one content. Results without an id are matched with the calls before them, by name and order.
result<void> read_contents(const json_value& v, conversation& c);
// `systemInstruction`: becomes the first message.
result<void> read_system(const json_value& v, conversation& c);

}  // namespace sluice::chat::gemini
