// How many tokens a request's prompt has, counted in turns with what else the worker does.
#pragma once

#include "governance/tokens/conversation_tokens.hpp"
#include "stages/route/translation.hpp"

#include <sluice/awaitable.hpp>
#include <sluice/result.hpp>

#include <boost/asio/any_io_executor.hpp>

namespace sluice::route {

// `counter` is null where the model's tokenizer is not known. Error: bad_request, of a request that its dialect's
// reader does not understand. All outlive the call.
awaitable<result<tokens::conversation_tokens>> count_tokens(translation& asked, const tokens::bpe_counter* counter,
                                                            boost::asio::any_io_executor worker);

}  // namespace sluice::route
