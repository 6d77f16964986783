// Amazon Bedrock's Converse and ConverseStream, as the gateway speaks them to Bedrock
// (API reference of Bedrock Runtime, 2023-09-30, as of November 2026).
//
// A stream comes as AWS events (http/event_stream.hpp). Its reader is given http::aws_event's name and data as they
// are: "contentBlockDelta" and its JSON; "exception:throttlingException" and {"message":...} for an exception;
// "error:..." for any other error.
#pragma once

#include "dialects/dialect.hpp"

namespace sluice::chat::bedrock {

inline constexpr std::string_view dialect_name = "bedrock.converse";
// Signatures and redacted reasoning that Bedrock hands out are Claude's; its other models sign nothing.
inline constexpr family maker_name = "anthropic";

// A constant object with static storage. The model's name is the model's id, the id of an inference profile, or an
// ARN of either: what the model takes beyond the common form is told from it, so that an application profile's ARN,
// which does not name its model, gets the common form alone.
const upstream_dialect& converse();

}  // namespace sluice::chat::bedrock
