// OpenAI's embeddings (POST /embeddings), from both sides.
#pragma once

#include "dialects/dialect.hpp"

#include <sluice/embedding.hpp>

#include <string>
#include <string_view>

namespace sluice::chat::openai {

// `input`: a string, strings, an array of token numbers or arrays of them. Error: bad_request.
result<void> read_embedding_request(const json_object& body, const client_call& call, embedding_request& out);
// In the form the client asked for: numbers, or base64 of little-endian 32-bit floats, whichever the upstream gave.
void write_embedding_answer(const embedding_answer& a, const embedding_request& asked, const client_call& call,
                            std::string& out);

result<void> write_embedding_request(const embedding_request& r, const target_facts& t, losses& lost, std::string& out);
// Error: upstream_protocol.
result<void> read_embedding_answer(std::string_view body, embedding_answer& out);

// A vector as numbers from base64, and the reverse; empty when it is neither.
std::string floats_of_base64(std::string_view base64);
std::string base64_of_floats(json numbers);

}  // namespace sluice::chat::openai
