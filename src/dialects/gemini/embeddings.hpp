// Gemini's embedContent and batchEmbedContents, from both sides, and countTokens.
#pragma once

#include "dialects/dialect.hpp"

#include <sluice/embedding.hpp>

#include <string>
#include <string_view>

namespace sluice::chat::gemini {

// Either of the two, told by its fields. Error: bad_request.
result<void> read_embed_request(const json_object& body, const client_call& call, embedding_request& out);
void write_embed_answer(const embedding_answer& a, const embedding_request& asked, const client_call& call,
                        std::string& out);

// Always a batch. "/models/{model}:batchEmbedContents".
std::string embed_path(const target_facts& t);
result<void> write_embed_request(const embedding_request& r, const target_facts& t, losses& lost, std::string& out);
// Error: upstream_protocol.
result<void> read_embed_answer(std::string_view body, embedding_answer& out);

}  // namespace sluice::chat::gemini
