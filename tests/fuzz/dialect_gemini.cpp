// Gemini's requests, answers, streams and embeddings from any text.
#include "dialect_pair.hpp"

#include "dialects/gemini/gemini.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sluice::chat;
    static const fuzz::dialect_pair pair(gemini::gemini_client(), gemini::gemini_upstream());
    pair.take(data, size);
    return 0;
}
