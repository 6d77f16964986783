// The second half of the relay: an upstream's answer on its way to the client.
#pragma once

#include "pipeline/relay.hpp"

namespace sluice {

// Passes head and body on. What breaks after the head is committed and a failure: the session ends the
// reply as broken.
awaitable<void> relay_reply(exchange& x, upstream_connection& upstream, response_head& head, const relay_config& config,
                            const clock& time);

}  // namespace sluice
