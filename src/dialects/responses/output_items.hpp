// The items of an answer's output, as they stand in a whole response and in the events of a stream.
#pragma once

#include "http/json_writer.hpp"

#include <sluice/answer.hpp>

#include <string_view>

namespace sluice::chat::responses {

// Makes ids that upstreams did not give: "msg_<request>_<index>". Characters that an id cannot hold are left out.
class id_maker {
public:
    explicit id_maker(std::string_view request_id);
    // A JSON string. `prefix` as "msg_".
    std::string make(std::string_view prefix, std::size_t index) const;
    std::string response() const { return "\"resp_" + seed_ + "\""; }

private:
    std::string seed_;
};

// `id` is a JSON string, `status` "in_progress", "completed" or "incomplete". Parts are texts and refusals; `logprobs`,
// in the form of chat completions, goes to the first text.
void write_message_item(const part* first, const part* last, json id, std::string_view status, json logprobs,
                        http::json_writer& w);
// One text or refusal of a message.
void write_output_part(const part& p, json logprobs, http::json_writer& w);
void write_call_item(const tool_call& call, json id, std::string_view status, text_arena& arena, http::json_writer& w);
// [first, last) are reasoning parts, whose last one has the secret.
void write_thoughts_item(const part* first, const part* last, json id, text_arena& arena, http::json_writer& w);
// The item that carries the signature of a call (see call_mark).
void write_call_mark(const tool_call& call, json id, text_arena& arena, http::json_writer& w);
void write_picture_item(const media_part& picture, json id, text_arena& arena, http::json_writer& w);

// The array inside logprobs of chat completions; "[]" when there is none.
json logprobs_array(json chat_form);

}  // namespace sluice::chat::responses
