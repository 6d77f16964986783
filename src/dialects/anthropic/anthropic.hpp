// The Messages API of Anthropic (version 2023-06-01), for clients and for upstreams; and the two clouds that serve the
// same format under other paths: Amazon Bedrock's InvokeModel and Google's Vertex AI. See docs/dialects/anthropic.md.
#pragma once

#include "dialects/dialect.hpp"

namespace sluice::chat::anthropic {

// All objects are constant, have static storage and may be used by every thread.

const client_dialect& messages_client();      // "anthropic.messages"
const upstream_dialect& messages_upstream();  // "anthropic.messages": path "/messages"

// Claude on Amazon Bedrock: "/model/{id}/invoke" and "/model/{id}/invoke-with-response-stream". Streams are AWS event
// streams whose payloads hold the events of the Messages API in base64.
const upstream_dialect& bedrock_invoke_upstream();  // "bedrock.invoke"

// Claude on Vertex AI: "/publishers/anthropic/models/{model}:rawPredict" and ":streamRawPredict".
const upstream_dialect& vertex_anthropic_upstream();  // "vertex.anthropic"

// read_request() takes a request without max_tokens, as token counting has it. Whoever serves POST /v1/messages asks
// here first. Error: bad_request, param "max_tokens".
result<void> require_max_tokens(const json_object& body);

}  // namespace sluice::chat::anthropic
