// One event of a response's stream, taken apart without allocation.
#pragma once

#include "dialects/values.hpp"

#include <string_view>

namespace sluice::chat::responses {

struct stream_event {
    json_chars type;            // "response.output_text.delta"
    json delta;                 // string
    json whole;                 // string: the whole text of a .done event
    json logprobs;              // array
    json item, part, response;  // objects
    json error;                 // object of an error
    json message, code;         // strings of an error that stands bare
    json annotation;            // object
    std::int64_t output_index = 0;
    std::int64_t sub = 0;  // content_index or summary_index
    bool in_range = true;  // the indexes
};

// `data` is valid JSON. Without a type of its own the event has the name that SSE gave it.
stream_event read_event(std::string_view name, std::string_view data);

// Members of an item or a part that matter in a stream.
struct item_facts {
    json type, id, call_id, name, whole, encrypted;  // strings; `whole`: text, refusal, arguments or input
    json content, summary, annotations;              // arrays
};
item_facts read_item_facts(json object);

// Members of the response object that matter.
struct response_outline {
    json id, model, status, reason, error, usage, output;
    std::int64_t created = 0;
};
response_outline read_outline(json response);

}  // namespace sluice::chat::responses
