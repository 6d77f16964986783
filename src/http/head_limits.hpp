// The words the parsers of heads share: limits, progress, refusals.
#pragma once

#include <sluice/error.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::http {

// What a peer may make us hold before a head is complete. All are inclusive.
struct head_limits {
    std::size_t head_bytes = 32 * 1024;   // start line, fields and the empty line; over it: 431
    std::size_t fields = 100;             // over it: 431
    std::size_t target_bytes = 8 * 1024;  // of the request target; over it: 414
};

// Fixed, since no honest peer comes near.
inline constexpr std::size_t method_bytes_max = 32;
inline constexpr std::size_t connection_options_max = 32;  // elements of all Connection fields

enum class progress : std::uint8_t { need_more, done, bad };

// Why a message is refused. After a refusal the connection has no framing any more: answer once (requests),
// close, and never use it again.
struct refusal {
    int status = 0;           // to answer: 400, 405, 414, 417, 431, 501, 505; 502 for a response
    std::string_view reason;  // static, stable, snake case: for logs and metric labels
    error_kind kind = error_kind::bad_request;
};

struct parsed {
    progress state = progress::need_more;
    std::size_t consumed = 0;  // with done: bytes of the head; else 0
    refusal why;               // with bad
};

}  // namespace sluice::http
