#include "dialects/context_overflow.hpp"

#include <catch2/catch.hpp>

#include <string>

using sluice::chat::says_too_long;

TEST_CASE("the words of each provider for a prompt that is too long are known") {
    // As their servers say it; numbers and names changed.
    const char* const bodies[] = {
        R"({"error":{"message":"This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens. Please reduce the length of the messages.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}})",
        R"({"error":{"message":"Your input exceeds the context window of this model. Please adjust your input and try again.","type":"invalid_request_error","param":"input","code":"context_length_exceeded"}})",
        R"({"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4000 in the messages, 1000 in the completion).","type":"BadRequestError","param":null,"code":400})",
        R"({"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}})",
        R"({"type":"error","error":{"type":"invalid_request_error","message":"input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input length or `max_tokens` and try again"}})",
        R"({"message":"Input is too long for requested model."})",
        R"({"error":{"code":400,"message":"The input token count (1100000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}})",
        R"({"message":"too many tokens: total number of tokens in the prompt cannot exceed 4081"})",
        R"({"object":"error","message":"The input (9000 tokens) is longer than the model's context length (8192 tokens).","type":"BadRequestError","code":400})",
        R"({"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error","n_prompt_tokens":9000,"n_ctx":4096}})",
    };
    for (const char* body : bodies) {
        INFO(body);
        CHECK(says_too_long(400, body));
    }
    CHECK(says_too_long(
        422,
        R"({"error":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048.","error_type":"validation"})"));
    CHECK(says_too_long(413, R"({"message":"PROMPT IS TOO LONG"})"));
}

TEST_CASE("other errors, and other statuses with the same words, do not say it") {
    CHECK_FALSE(says_too_long(400, R"({"error":{"message":"Invalid value for 'temperature'."}})"));
    CHECK_FALSE(says_too_long(400, ""));
    CHECK_FALSE(says_too_long(429, R"({"error":{"message":"prompt is too long for your rate"}})"));
    CHECK_FALSE(says_too_long(500, R"({"error":{"code":"context_length_exceeded"}})"));
    CHECK_FALSE(says_too_long(400, std::string(8192, ' ') + "context_length_exceeded"));
}
