// What the pieces of this dialect share.
#pragma once

#include "dialects/losses.hpp"

#include <sluice/answer.hpp>
#include <sluice/result.hpp>

#include <memory>
#include <optional>
#include <string>

namespace sluice::chat {
class stream_reader;
}

namespace sluice::chat::cohere {

result<void> write_chat_request(const conversation& c, std::string_view model, losses& lost, std::string& out);
result<void> read_chat_answer(std::string_view body, answer& out);
std::unique_ptr<stream_reader> make_stream_reader();

// Nothing for ERROR and TIMEOUT: such an answer is none.
std::optional<finish_reason> finish_of(json reason);
// `tokens` are what the model saw and made, with its template; `billed_units`, where that is missing, what is paid.
token_usage usage_of(json usage);
// Cohere's list of {"text","token_ids","logprobs"}, or one of them, in OpenAI's chat form. Empty: it is neither.
json openai_logprobs(json logprobs, text_arena& arena);

}  // namespace sluice::chat::cohere
