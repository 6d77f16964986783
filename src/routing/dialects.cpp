#include "routing/dialects.hpp"

#include "dialects/anthropic/anthropic.hpp"
#include "dialects/bedrock/bedrock.hpp"
#include "dialects/cohere/cohere.hpp"
#include "dialects/gemini/gemini.hpp"
#include "dialects/openai/completions.hpp"
#include "dialects/openai/openai.hpp"
#include "dialects/responses/responses.hpp"
#include "http/path.hpp"

namespace sluice::routing {
namespace {

using chat::client_dialect;

struct endpoint {
    std::string_view path;  // what it ends with
    const client_dialect& (*dialect)();
    operation wants;
};

constexpr endpoint endpoints[] = {
    {"/chat/completions", chat::openai::chat_client, operation::chat},
    {"/completions", chat::openai::completions_client, operation::chat},
    {"/responses", chat::responses::responses_client, operation::chat},
    {"/messages", chat::anthropic::messages_client, operation::chat},
    {"/messages/count_tokens", chat::anthropic::messages_client, operation::count_tokens},
    {"/embeddings", chat::openai::chat_client, operation::embed},
};

struct method {
    std::string_view verb;
    operation wants;
    bool stream;
};
constexpr method methods[] = {
    {"generateContent", operation::chat, false},     {"streamGenerateContent", operation::chat, true},
    {"countTokens", operation::count_tokens, false}, {"embedContent", operation::embed, false},
    {"batchEmbedContents", operation::embed, false},
};

// ".../models/gemini-2.5-pro:generateContent", the model's name maybe with escapes.
std::optional<client_api> gemini_api_of(std::string_view path) {
    constexpr std::string_view folder = "/models/";
    const auto colon = path.rfind(':');
    const auto at = path.rfind(folder, colon);
    if (colon == std::string_view::npos || at == std::string_view::npos) return std::nullopt;
    for (const method& m : methods) {
        if (path.substr(colon + 1) != m.verb) continue;
        const std::string_view name = path.substr(at + folder.size(), colon - at - folder.size());
        auto model = http::percent_decode(name);
        if (!model || model->empty()) return std::nullopt;
        return client_api{&chat::gemini::gemini_client(), m.wants, std::move(*model), m.verb, m.stream};
    }
    return std::nullopt;
}

bool is_openai(dialect d) {
    return d == dialect::openai || d == dialect::azure || d == dialect::openai_chat || d == dialect::openai_responses;
}

}  // namespace

std::optional<client_api> client_api_of(std::string_view path) {
    for (const endpoint& e : endpoints) {
        if (path.ends_with(e.path)) return client_api{&e.dialect(), e.wants, {}, {}, false};
    }
    return gemini_api_of(path);
}

std::shared_ptr<const chat::upstream_dialect> make_upstream_dialect(const provider_config& config) {
    // Those without a provider's quirks live as long as the program.
    const auto shared = [](const chat::upstream_dialect& d) {
        return std::shared_ptr<const chat::upstream_dialect>(std::shared_ptr<void>{}, &d);
    };
    switch (config.speaks) {
        case dialect::openai_responses:
            return shared(chat::responses::responses_upstream());
        case dialect::anthropic:
            return shared(chat::anthropic::messages_upstream());
        case dialect::vertex_anthropic:
            return shared(chat::anthropic::vertex_anthropic_upstream());
        case dialect::bedrock_anthropic:
            return shared(chat::anthropic::bedrock_invoke_upstream());
        case dialect::gemini:
            return shared(chat::gemini::gemini_upstream());
        case dialect::vertex:
            return shared(chat::gemini::vertex_upstream());
        case dialect::cohere:
            return shared(chat::cohere::chat());
        case dialect::bedrock:
            return shared(chat::bedrock::converse());
        default:
            return std::make_shared<chat::openai::chat_upstream>(config.quirks);
    }
}

bool speaks_natively(const provider_config& at, const std::optional<client_api>& api, std::string_view path) {
    if (!api) return is_openai(at.speaks) || (at.speaks == dialect::cohere && path.ends_with("/rerank"));
    const std::string_view client = api->dialect->name();
    switch (at.speaks) {
        case dialect::openai:
        case dialect::azure:
            return client.starts_with("openai.");
        case dialect::openai_chat:
            return client == "openai.chat" || client == "openai.completions";
        case dialect::openai_responses:
            return client == "openai.responses";
        case dialect::anthropic:
            return client == "anthropic.messages";
        case dialect::gemini:
        case dialect::vertex:
            return client == "gemini";
        default:
            return false;
    }
}

std::string native_path(const provider_config& at, const client_api& api, std::string_view model) {
    std::string path = at.speaks == dialect::vertex ? "/publishers/google/models/" : "/models/";
    http::percent_encode(path, model);
    path.append(1, ':').append(api.verb);
    return path;
}

}  // namespace sluice::routing
