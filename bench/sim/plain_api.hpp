#pragma once
// The endpoints that answer at once and need no engine: embeddings, moderations, rerank, images, audio.
// Each takes the request's JSON and returns the body of the answer.

#include <simdjson.h>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sim/ask.hpp"
#include "sim/http1.hpp"

namespace sluice::sim {

using body_or_refusal = std::variant<std::string, refusal>;

// A unit vector that depends on every word of the text: texts that share words are nearer to each other.
std::vector<float> embed(std::string_view text, std::size_t dimensions);

body_or_refusal embeddings(const simdjson::dom::element& root);
body_or_refusal moderations(const simdjson::dom::element& root);
body_or_refusal rerank(const simdjson::dom::element& root);
body_or_refusal images(const simdjson::dom::element& root, std::int64_t created);

// Bytes that begin as the requested format does. `type` becomes the content type.
std::string speech(const simdjson::dom::element& root, std::string& type);

// One part of a multipart/form-data body; views into the body.
struct form_part {
    std::string_view name, file_name, content;
};
std::vector<form_part> read_form(std::string_view content_type, std::string_view body);

body_or_refusal transcription(const request& r);

// {"object":"list","data":[...]} of names.
std::string model_list(const std::vector<std::string>& models, const std::vector<std::string>& loras,
                       std::int64_t created);

// The request as JSON: method, target, path, query, headers (in order), body.
std::string echo(const request& r);

}  // namespace sluice::sim
