// The one loop that reads the upstream and writes the client.
//
// Sends the exchange's request to x.target and passes the answer on. Where nobody asks for events, bytes
// pass in pieces (a stream in runs of whole events), and only a scanner looks for the usage. The await on the
// client's write is the back-pressure: nothing is queued.
#pragma once

#include "pipeline/upstream.hpp"

#include <sluice/config.hpp>
#include <sluice/exchange.hpp>
#include <sluice/services.hpp>

#include <chrono>

namespace sluice {

struct relay_config {
    std::chrono::milliseconds ping{15000};  // a comment to the client while a stream is silent; 0: none
    byte_size event_bytes{1 << 20};         // largest event of a stream
    byte_size held_back_bytes{64 << 10};    // of an upstream's error kept for the client
    bool upgrade = false;                   // let WebSocket through
};
void read(config_reader& r, relay_config& c);

// Sets x.failure() when the upstream failed or its status is held back; before x.committed() another
// attempt may follow. A reply that broke off is committed and has a failure.
awaitable<void> relay(exchange& x, upstream_pool& pool, const relay_config& config, const clock& time);

// The span id of the call under way, as the upstream gets it.
std::string call_span(const exchange& x);
// The headers an upstream gets: the client's without what is between the client and us, its credentials, and
// what only we may say.
void filter_request_headers(const exchange& x, header_list& out);
// The headers a client gets: without what is between the upstream and us or tells on our account there.
void filter_response_headers(const exchange& x, header_list& headers);

}  // namespace sluice
