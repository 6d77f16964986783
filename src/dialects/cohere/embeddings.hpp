// Cohere's Embed API v2: /embed behind a base URL that ends in "/v2". Texts only. Its errors are read as those of the
// chat: read_cohere_error().
#pragma once

#include "dialects/dialect.hpp"

#include <sluice/embedding.hpp>

#include <string>
#include <string_view>

namespace sluice::chat::cohere {

inline constexpr std::string_view embed_path = "/embed";

// Appends the body. What the vectors are for (input_type) is told by `purpose`, or by a field `input_type` of the
// client's; without either they are for documents that are searched. Error: bad_request.
result<void> write_embed_request(const embedding_request& r, const target_facts& t, losses& lost, std::string& out);

// `body` outlives the answer. Error: upstream_protocol.
result<void> read_embed_answer(std::string_view body, embedding_answer& out);

}  // namespace sluice::chat::cohere
