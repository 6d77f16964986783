// Messages of chat completions, as upstreams want them.
#pragma once

#include "dialects/losses.hpp"
#include "dialects/openai/quirks.hpp"
#include "http/json_writer.hpp"

#include <sluice/conversation.hpp>
#include <sluice/result.hpp>

namespace sluice::chat::openai {

// The elements of the array `messages`.
result<void> write_messages(const conversation& c, const chat_quirks& q, losses& lost, http::json_writer& w);

}  // namespace sluice::chat::openai
