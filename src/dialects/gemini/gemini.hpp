// Google's Gemini API (v1beta): generateContent, streamGenerateContent, countTokens, embedContent; and the same models
// at Vertex AI under another path.
//
// The model stands in the path, and so does the wish for a stream. Both spellings of field names are read (proto JSON:
// inlineData and inline_data); the first is written. docs/dialects/gemini.md has the table.
#pragma once

#include "dialects/dialect.hpp"

namespace sluice::chat::gemini {

inline constexpr std::string_view dialect_name = "gemini";

// Constant objects with static storage.
const client_dialect& gemini_client();
const upstream_dialect& gemini_upstream();  // "/models/{model}:generateContent"
const upstream_dialect& vertex_upstream();  // "/publishers/google/models/{model}:generateContent"

// --- the pieces, by file -----------------------------------------------------------------------------------------

// Is `key`, in either spelling, the field whose name in camel case is `camel`?
bool is_field(std::string_view key, std::string_view camel);

result<void> read_request(const json_object& body, conversation& out);
result<void> write_request(const conversation& c, const target_facts& t, losses& lost, std::string& out);
result<void> read_answer(std::string_view body, answer& out);
void write_answer(const answer& a, const client_call& call, std::string& out);
std::unique_ptr<stream_reader> make_stream_reader();
std::unique_ptr<stream_writer> make_stream_writer(const client_call& call);
// For clients that do not send alt=sse: one JSON array, which the step `end` or `failure` closes. Its Content-Type is
// application/json.
std::unique_ptr<stream_writer> make_array_stream_writer(const client_call& call);

void write_error(const error_facts& e, std::string& out);
error_facts read_error(int status, std::string_view body);

// Stands where a signature would, for calls that another model made (Google: "Thought signatures"). It is nobody's.
inline constexpr json_chars no_signature = "skip_thought_signature_validator";

// A schema in Gemini's subset of OpenAPI ("type":"OBJECT", "nullable":true) as JSON Schema.
json plain_schema(json schema, text_arena& arena);
// Appends "/models/gemini-2.5-pro" below `publisher` ("" or "/publishers/google"). A name that says its folder already
// ("models/...", "tunedModels/...") keeps it.
void append_model_path(std::string& path, std::string_view publisher, std::string_view model);
// Does the model think by level (3 and later) instead of by a budget of tokens?
bool thinks_by_level(std::string_view model);

token_usage read_usage(json metadata);
void write_usage(const token_usage& u, std::string& out);
finish_reason finish_of(json name);
std::string_view finish_name(finish_reason r);

}  // namespace sluice::chat::gemini
