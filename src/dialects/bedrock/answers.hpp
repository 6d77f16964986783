// What whole answers and streams of Converse have in common.
#pragma once

#include <sluice/answer.hpp>
#include <sluice/result.hpp>

#include <memory>

namespace sluice::chat {
class stream_reader;
}

namespace sluice::chat::bedrock {

finish_reason finish_of(json stop_reason);
// inputTokens leaves out what came from the cache and what was written to it.
token_usage usage_of(json usage);

result<void> read_converse_answer(std::string_view body, answer& out);
std::unique_ptr<stream_reader> make_stream_reader();

// Citations in Anthropic's form, which Bedrock's is made of, so that its clients find what they know. Empty: none.
json anthropic_citations(json citations, text_arena& arena);

}  // namespace sluice::chat::bedrock
