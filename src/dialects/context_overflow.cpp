#include "dialects/context_overflow.hpp"

#include "base/ascii.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace sluice::chat {
namespace {

constexpr std::size_t looked_at_max = 8192;

constexpr std::array phrases = std::to_array<std::string_view>({
    "context_length_exceeded",                     // OpenAI, Azure, Groq: the code
    "maximum context length",                      // OpenAI, vLLM, DeepSeek, Mistral, OpenRouter
    "exceeds the context window",                  // OpenAI's Responses
    "prompt is too long",                          // Anthropic, wherever it is served
    "exceed context limit",                        // Anthropic: the prompt and max_tokens together
    "input is too long",                           // Bedrock
    "too many input tokens",                       // Bedrock
    "exceeds the maximum number of tokens",        // Gemini
    "too many tokens",                             // Cohere
    "longer than the model's context length",      // SGLang
    "exceed_context_size_error",                   // llama.cpp: the type
    "exceeds the available context size",          // llama.cpp
    "`inputs` tokens + `max_new_tokens` must be",  // TGI
});

}  // namespace

bool says_too_long(int status, std::string_view body) {
    if (status != 400 && status != 413 && status != 422) return false;
    std::string text(body.substr(0, looked_at_max));
    for (char& c : text) c = ascii::lower(c);
    return std::any_of(phrases.begin(), phrases.end(), [&](std::string_view p) { return text.find(p) != text.npos; });
}

}  // namespace sluice::chat
