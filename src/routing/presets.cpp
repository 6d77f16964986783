#include "routing/presets.hpp"

#include "routing/routing_config.hpp"

#include <array>
#include <cstddef>
#include <utility>

namespace sluice::routing {
namespace {

using enum chat_quirks::reasoning;
constexpr std::string_view max_tokens = "max_tokens";  // instead of max_completion_tokens

// Of providers that have two addresses.
constexpr chat_quirks kimi{
    .developer_role = false, .history = content, .json_schema = false, .strict_tools = false, .parallel_flag = false};
constexpr chat_quirks glm{.max_tokens_field = max_tokens,
                          .developer_role = false,
                          .stream_usage = false,
                          .history = content,
                          .json_schema = false,
                          .strict_tools = false,
                          .parallel_flag = false};
constexpr chat_quirks qwen{.max_tokens_field = max_tokens,
                           .developer_role = false,
                           .history = content,
                           .json_schema = false,
                           .strict_tools = false,
                           .top_k = true};

// The documentation each line was taken from stands above it: the name of the page, or the provider's own client
// library whose types were read (chat.completions.create).
constexpr std::array table{
    // OpenAI: "API reference: Chat".
    preset{.name = "openai", .base_url = "https://api.openai.com/v1", .speaks = dialect::openai, .quirks = {}},

    // Anthropic: "API overview". Google: "Gemini API reference". Cohere: "Chat API reference (v2)".
    preset{.name = "anthropic", .base_url = "https://api.anthropic.com/v1", .speaks = dialect::anthropic, .quirks = {}},
    preset{.name = "gemini",
           .base_url = "https://generativelanguage.googleapis.com/v1beta",
           .speaks = dialect::gemini,
           .quirks = {}},
    preset{.name = "cohere", .base_url = "https://api.cohere.com/v2", .speaks = dialect::cohere, .quirks = {}},

    // DeepSeek: "Your First API Call", "Create Chat Completion". `strict` is for its beta address only.
    preset{.name = "deepseek",
           .base_url = "https://api.deepseek.com",
           .speaks = dialect::openai_chat,
           .quirks = {.max_tokens_field = max_tokens,
                      .developer_role = false,
                      .history = content,
                      .json_schema = false,
                      .strict_tools = false,
                      .parallel_flag = false}},

    // Moonshot AI: "Kimi API: Quickstart", "Create Chat Completion"; keys of the two platforms are not the same.
    preset{
        .name = "moonshot", .base_url = "https://api.moonshot.ai/v1", .speaks = dialect::openai_chat, .quirks = kimi},
    preset{.name = "moonshot_cn",
           .base_url = "https://api.moonshot.cn/v1",
           .speaks = dialect::openai_chat,
           .quirks = kimi},

    // Zhipu: "Chat completion" of the BigModel platform; Z.AI is the same outside the mainland. Usage ends each stream
    // unasked.
    preset{.name = "zhipu",
           .base_url = "https://open.bigmodel.cn/api/paas/v4",
           .speaks = dialect::openai_chat,
           .quirks = glm},
    preset{.name = "zai", .base_url = "https://api.z.ai/api/paas/v4", .speaks = dialect::openai_chat, .quirks = glm},

    // Alibaba Cloud Model Studio: "OpenAI compatible: Chat", mainland (Beijing) and international (Singapore).
    preset{.name = "dashscope",
           .base_url = "https://dashscope.aliyuncs.com/compatible-mode/v1",
           .speaks = dialect::openai_chat,
           .quirks = qwen},
    preset{.name = "dashscope_intl",
           .base_url = "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
           .speaks = dialect::openai_chat,
           .quirks = qwen},

    // Groq: "OpenAI Compatibility"; client library 1.7.
    preset{.name = "groq",
           .base_url = "https://api.groq.com/openai/v1",
           .speaks = dialect::openai_chat,
           .quirks = {.history = plain}},

    // Mistral: client library 3.7. Thoughts are parts of the content; usage ends each stream unasked.
    preset{.name = "mistral",
           .base_url = "https://api.mistral.ai/v1",
           .speaks = dialect::openai_chat,
           .quirks = {.max_tokens_field = max_tokens, .developer_role = false, .stream_usage = false, .top_k = true}},

    // xAI: "Comparison with Chat Completions API". Newer models keep their thoughts to themselves.
    preset{
        .name = "xai",
        .base_url = "https://api.x.ai/v1",
        .speaks = dialect::openai_chat,
        .quirks = {.max_tokens_field = max_tokens, .developer_role = false, .history = content, .strict_tools = false}},

    // OpenRouter: client library 1.3.
    preset{.name = "openrouter",
           .base_url = "https://openrouter.ai/api/v1",
           .speaks = dialect::openai_chat,
           .quirks = {.history = plain, .top_k = true}},

    // Together AI: client library 3.1. Usage ends each stream unasked.
    preset{.name = "together",
           .base_url = "https://api.together.ai/v1",
           .speaks = dialect::openai_chat,
           .quirks = {.max_tokens_field = max_tokens,
                      .developer_role = false,
                      .stream_usage = false,
                      .history = plain,
                      .strict_tools = false,
                      .parallel_flag = false,
                      .top_k = true}},

    // Fireworks AI: "Querying text models"; client library 1.2. Usage ends each stream unasked.
    preset{.name = "fireworks",
           .base_url = "https://api.fireworks.ai/inference/v1",
           .speaks = dialect::openai_chat,
           .quirks = {.max_tokens_field = max_tokens,
                      .developer_role = false,
                      .stream_usage = false,
                      .history = content,
                      .top_k = true}},

    // Cerebras: client library 1.91.
    preset{.name = "cerebras",
           .base_url = "https://api.cerebras.ai/v1",
           .speaks = dialect::openai_chat,
           .quirks = {.history = plain}},

    // NVIDIA: "NIM for LLMs: API Reference". One address for models of many engines: what they share.
    preset{.name = "nvidia",
           .base_url = "https://integrate.api.nvidia.com/v1",
           .speaks = dialect::openai_chat,
           .quirks = {.max_tokens_field = max_tokens,
                      .developer_role = false,
                      .history = content,
                      .json_schema = false,
                      .strict_tools = false,
                      .parallel_flag = false}},

    // Perplexity: client library 0.46. Its path has no version.
    preset{.name = "perplexity",
           .base_url = "https://api.perplexity.ai",
           .speaks = dialect::openai_chat,
           .quirks = {.max_tokens_field = max_tokens, .developer_role = false, .stream_usage = false, .top_k = true}},

    // vLLM: its ChatCompletionRequest. Roles are the chat template's business, and few know `developer`; older versions
    // wrote reasoning_content.
    preset{.name = "vllm",
           .base_url = "http://127.0.0.1:8000/v1",
           .speaks = dialect::openai_chat,
           .quirks = {.max_tokens_field = max_tokens, .developer_role = false, .history = plain, .top_k = true}},

    // SGLang: its ChatCompletionRequest.
    preset{.name = "sglang",
           .base_url = "http://127.0.0.1:30000/v1",
           .speaks = dialect::openai_chat,
           .quirks = {.max_tokens_field = max_tokens, .developer_role = false, .history = content, .top_k = true}},

    // Ollama: "OpenAI compatibility", its ChatCompletionRequest.
    preset{.name = "ollama",
           .base_url = "http://127.0.0.1:11434/v1",
           .speaks = dialect::openai_chat,
           .quirks = {.max_tokens_field = max_tokens,
                      .developer_role = false,
                      .history = plain,
                      .strict_tools = false,
                      .parallel_flag = false}},

    // LM Studio: "OpenAI Compatibility Endpoints".
    preset{.name = "lmstudio",
           .base_url = "http://127.0.0.1:1234/v1",
           .speaks = dialect::openai_chat,
           .quirks = {.max_tokens_field = max_tokens,
                      .developer_role = false,
                      .history = content,
                      .strict_tools = false,
                      .parallel_flag = false,
                      .top_k = true}},

    // llama.cpp: "llama-server".
    preset{.name = "llama_cpp",
           .base_url = "http://127.0.0.1:8080/v1",
           .speaks = dialect::openai_chat,
           .quirks = {.max_tokens_field = max_tokens,
                      .developer_role = false,
                      .history = content,
                      .strict_tools = false,
                      .top_k = true}},
};

// The names as one_of() takes them, from the table: so the schema and the nearest name know each line there is.
template <std::size_t... I>
void read_index(config_reader& r, std::size_t& at, std::index_sequence<I...>) {
    r.one_of<std::size_t>("preset", at, {{table[I].name, I}...},
                          "Stands for the base_url and the dialect of a provider that many use.");
}

}  // namespace

std::span<const preset> presets() {
    return table;
}

const preset* read_preset(config_reader& r) {
    std::size_t at = table.size();
    read_index(r, at, std::make_index_sequence<table.size()>{});
    return at < table.size() ? &table[at] : nullptr;
}

}  // namespace sluice::routing
