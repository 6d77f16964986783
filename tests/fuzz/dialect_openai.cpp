// Chat completions and embeddings of OpenAI from any text.
#include "dialect_pair.hpp"

#include "dialects/openai/openai.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sluice::chat;
    static const openai::chat_upstream upstream(
        {.history = openai::chat_quirks::reasoning::content, .top_k = true, .cache_control = true});
    static const fuzz::dialect_pair pair(openai::chat_client(), upstream);
    pair.take(data, size);
    return 0;
}
