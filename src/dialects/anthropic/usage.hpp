// Tokens as the Messages API counts them: `input_tokens` without what was read from or written to the cache.
#pragma once

#include "http/json_writer.hpp"

#include <sluice/answer.hpp>

namespace sluice::chat::anthropic {

// Usage as it comes, in one piece or in several of which each may hold some of the counts; -1: not said.
struct usage_counts {
    std::int64_t input = -1, output = -1, cache_read = -1, cache_write = -1, cache_write_1h = -1, thinking = -1;
    json service_tier;

    void merge(json usage);  // an object; what it does not say stays
    token_usage total() const;
};

// The object of an answer, and of the beginning of a stream: `input_tokens`, both cache counts and `output_tokens` are
// always there, as the SDKs and Claude Code expect. `tier`: as the upstream said it, in whatever words.
void write_usage(http::json_writer& w, const token_usage& u, json tier);
// The cumulative counts at the end of a stream: `output_tokens` and what else is known.
void write_usage_delta(http::json_writer& w, const token_usage& u);

}  // namespace sluice::chat::anthropic
