// How many tokens a request will cost, before anybody has counted, and how many it did cost, after.
#pragma once

#include "stages/quota/quota_config.hpp"

#include <sluice/exchange.hpp>

#include <cstdint>

namespace sluice::quota {

struct token_estimate {
    std::int64_t input = 0;
    std::int64_t output = 0;
    bool output_bounded = false;  // the client set a bound: no more than `output` can come
    std::int64_t reserved = 0;    // what to take before: the sum, or the configured number
};

// `body_bytes` is the size of the request's body, `json` its object if it is one. The bound is max_tokens,
// max_completion_tokens, max_output_tokens, generationConfig.maxOutputTokens or inferenceConfig.maxTokens, times n.
token_estimate estimate_tokens(std::uint64_t body_bytes, const json_object* json, const quota_config& config);

// What the upstream reported; where it reported nothing, a quarter of the bytes that were delivered. An exchange
// of which nothing reached the client, or that ended in an error, costs nothing.
std::int64_t used_tokens(const exchange& x, const token_estimate& estimate);

}  // namespace sluice::quota
