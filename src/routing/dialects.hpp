// Which dialect a client speaks by its path, which ones a provider speaks, and who needs no translation.
#pragma once

#include "dialects/dialect.hpp"
#include "routing/routing_config.hpp"

#include <sluice/exchange.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::routing {

// What a client wants of a model.
enum class operation : std::uint8_t { chat, count_tokens, embed };

// An endpoint of a client's dialect.
struct client_api {
    const chat::client_dialect* dialect = nullptr;
    operation wants = operation::chat;
    // Where the path says it (Gemini); else the body does.
    std::string model;
    std::string_view verb;  // "streamGenerateContent"
    bool stream = false;
};

// `path` is what upstream_path() gave, of a POST. Nothing: no endpoint that is translated.
std::optional<client_api> client_api_of(std::string_view path);

// How requests are written for that provider, where its clients speak something else.
std::shared_ptr<const chat::upstream_dialect> make_upstream_dialect(const provider_config& config);

// Do the bytes pass as they are? `api` may be nothing: an endpoint that is never translated. Those are OpenAI's, and
// /rerank, whose one form Cohere's providers speak too. `path` is the request's.
bool speaks_natively(const provider_config& at, const std::optional<client_api>& api, std::string_view path);

// A native request whose path names its model, as the provider wants it.
std::string native_path(const provider_config& at, const client_api& api, std::string_view model);

}  // namespace sluice::routing
