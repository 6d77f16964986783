// The response object around the output: what a whole answer is, and what the first and last events of a stream hold.
#pragma once

#include <sluice/answer.hpp>

#include <string>
#include <string_view>

namespace sluice::chat::responses {

struct response_facts {
    json id, model;                  // strings
    std::int64_t created = 0;        // seconds since 1970
    std::string_view status;         // "in_progress", "completed", "incomplete", "failed"
    std::string_view reason;         // of "incomplete": "max_output_tokens", "content_filter"
    json error_code, error_message;  // of "failed": strings
    std::string_view output;         // the items, with commas between
    token_usage usage;
    json service_tier;  // string
};

// Appends the object. What a response repeats of its request is not known here: those fields say their defaults, and
// null where they have none.
void write_response(const response_facts& r, std::string& out);

// What a finish reason is here: status and reason.
struct ending {
    std::string_view status = "completed", reason = {};
};
ending ending_of(finish_reason why);
// The opposite.
finish_reason finish_of(json status, json reason, bool calls);

}  // namespace sluice::chat::responses
