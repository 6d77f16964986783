// Writes a conversation as a request of the Messages API.
#pragma once

#include "dialects/anthropic/terms.hpp"
#include "dialects/dialect.hpp"

namespace sluice::chat::anthropic {

// Appends the body. Error: bad_request; then nothing is appended.
result<void> write_messages_request(const conversation& c, const target_facts& t, const variant& v, losses& lost,
                                    std::string& out);

}  // namespace sluice::chat::anthropic
