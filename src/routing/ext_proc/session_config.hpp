// How one external processor is spoken to, and what it may do.
#pragma once

#include "routing/ext_proc/shown_headers.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace sluice::ext_proc {

// How a body travels to the processor. `none`: it is not sent.
enum class body_mode : std::uint8_t { none, streamed, buffered, full_duplex };

// What follows when the processor fails. `closed`: an error, or a broken reply once it began; of pickers 503 with
// Retry-After, of others as Envoy answers: 504 when it was late, else 500. `open`: the exchange goes on as if there
// were no processor, as long as what it was given can still be undone.
enum class failure_mode : std::uint8_t { closed, open };

// `validated`: only endpoints that the pool knows may be picked, so that a processor cannot point the gateway at any
// address. `passthrough`: whatever it names. `ignored`: it is no picker, and what it names is not looked at.
enum class destination_mode : std::uint8_t { validated, passthrough, ignored };

// Everything a processor may make the gateway hold or do is bounded. Reaching a bound is a failure of the processor.
struct session_limits {
    std::size_t message_bytes_max = 4 << 20;  // one message
    std::size_t body_bytes_max = 32 << 20;    // a request body, ours or the processor's; a buffered reply
    std::size_t held_bytes_max = 1 << 20;     // of a streamed reply, kept so that a failure can still be undone
    std::size_t reply_bytes_max = 64 << 10;   // the body of an immediate response
    std::size_t headers_max = 128;            // set and removed by one message
    std::size_t header_bytes_max = 64 << 10;  // names and values of one message
    std::size_t endpoints_max = 16;           // in one pick
    std::size_t idle_messages_max = 64;       // per exchange, messages that bring nothing new
};

struct session_config {
    body_mode request_body = body_mode::full_duplex;
    body_mode response_body = body_mode::full_duplex;
    bool request_headers = true;   // must be true when a body is sent full duplex
    bool response_headers = true;  // likewise
    failure_mode on_failure = failure_mode::closed;
    destination_mode destinations = destination_mode::validated;
    bool must_pick = true;  // a request that was not given an endpoint is a failure; off for generic processors
    bool allow_mode_override = false;  // the answer to request headers may change the body modes
    bool allow_path = false;           // the processor may set :path
    bool allow_authority = false;      // the processor may set :authority
    bool allow_status = false;         // the processor may set the :status of a reply
    bool observe_only = false;         // says so in each message; nobody waits for answers then
    shown_headers headers;             // which fields it is shown

    // From the end of the request body until the first answer, with a full duplex request: pickers say nothing before
    // they have all. No shorter than the time a picker may queue a request.
    std::chrono::milliseconds first_response{1000};
    // Between everything else that must be answered and its answer.
    std::chrono::milliseconds message_timeout{1000};
    // The longest a processor may make that by override_message_timeout; 0: it may not.
    std::chrono::milliseconds message_timeout_max{0};
    std::chrono::seconds retry_after{1};  // what a client is told with a 503
    session_limits limits;
};

}  // namespace sluice::ext_proc
