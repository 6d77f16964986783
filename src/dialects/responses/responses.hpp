// OpenAI's Responses API, from both sides: POST /responses with the whole conversation in `input`.
//
// The gateway keeps no responses: what a client names by id (previous_response_id, conversation, prompt, background)
// lies at OpenAI and can only be passed through. Everything else is translated. docs/dialects/responses.md has the
// table.
#pragma once

#include "dialects/dialect.hpp"

#include <string_view>

namespace sluice::chat::responses {

inline constexpr std::string_view dialect_name = "openai.responses";

const client_dialect& responses_client();
const upstream_dialect& responses_upstream();

// Does a request lean on what OpenAI stored? Such a request can only go, as it is, to the account that stored it.
bool needs_state(const json_object& body);
// For a request that is to be translated. Error: bad_request naming the field.
result<void> refuse_state(const json_object& body);

// The system message that a request's `instructions` become bears this as its id: the mark that tells it from an item
// of the input with the role system.
inline constexpr json instructions_id = R"("")";

// --- the pieces, by file -----------------------------------------------------------------------------------------

result<void> read_request(const json_object& body, conversation& out);
result<void> write_request(const conversation& c, const target_facts& t, losses& lost, std::string& out);
result<void> read_answer(std::string_view body, answer& out);
void write_answer(const answer& a, const client_call& call, std::string& out);
std::unique_ptr<stream_reader> make_stream_reader();
std::unique_ptr<stream_writer> make_stream_writer(const client_call& call);
void write_error(const error_facts& e, std::string& out);
error_facts read_error(int status, std::string_view body);

}  // namespace sluice::chat::responses
