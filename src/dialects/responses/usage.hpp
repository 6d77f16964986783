// `usage` of a response, both ways.
#pragma once

#include "http/json_writer.hpp"

#include <sluice/answer.hpp>

namespace sluice::chat::responses {

token_usage read_usage(json usage);
// null when nothing was reported.
void write_usage(const token_usage& u, http::json_writer& w);

}  // namespace sluice::chat::responses
