// Heads of HTTP/1.1 requests, read strictly: what two parsers could understand differently is refused.
//
// Pure: bytes in, a request_head out; no socket, no clock, no state but the caller's `scanned`. Nothing is
// allocated once the recycled head has seen one as large.
#pragma once

#include "http/head_limits.hpp"

#include <sluice/message.hpp>

#include <string_view>

namespace sluice::http {

// `bytes` is everything received and not consumed so far. `scanned` remembers between calls for the same
// message how far the end of the head was searched; the caller sets it to 0 first, done and bad set it back.
// need_more: call again with the same bytes and more behind them. How the bytes were cut never changes the
// outcome. `out` is cleared, and filled on done; its texts are copies, so `bytes` may go.
//
// Refused, each with its status and reason:
// - lines: LF without CR, CR without LF, control bytes, folded lines, one CRLF too many before the start
//   line (a single one is skipped, RFC 9112 2.2);
// - request line: anything but single spaces, methods that are no token or over 32 bytes, CONNECT (405),
//   versions but 1.0 and 1.1 (505);
// - target: fragments, spaces, control and 8-bit bytes; any form but origin, absolute, and * of OPTIONS. The
//   absolute form must name the host of Host (or, in 1.0, may replace it) and becomes the origin form;
// - Host: none or two in 1.1; anything parse_authority() refuses;
// - framing: two Content-Length, or one that is not 1*DIGIT below 2^63; Transfer-Encoding twice, with
//   Content-Length, in HTTP/1.0, or other than exactly `chunked` (501 for codings we do not have);
// - Expect other than 100-continue (417).
//
// body is none, chunked or length (then content_length may be 0). expect_continue is set only when a body
// is to come and the version is 1.1.
parsed parse_request_head(std::string_view bytes, std::size_t& scanned, const head_limits& limits, request_head& out);

}  // namespace sluice::http
