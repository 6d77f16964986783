// Vectors of texts by Bedrock's InvokeModel, whose body is that of the model's maker: Amazon's Titan text embeddings
// (V2 and G1) and Cohere's Embed (v3 and v4). Errors are read as those of Converse.
#pragma once

#include "dialects/dialect.hpp"

#include <sluice/embedding.hpp>

#include <string>
#include <string_view>

namespace sluice::chat::bedrock {

// "/model/{modelId}/invoke", the id escaped.
std::string embed_path(const target_facts& t);

// Appends the body. Titan takes one text at a time. Error: bad_request, for a model of another maker too.
result<void> write_embed_request(const embedding_request& r, const target_facts& t, losses& lost, std::string& out);

// Of either maker. `body` outlives the answer. Cohere's count of tokens stands in the answer's header
// X-Amzn-Bedrock-Input-Token-Count alone. Error: upstream_protocol.
result<void> read_embed_answer(std::string_view body, embedding_answer& out);

}  // namespace sluice::chat::bedrock
