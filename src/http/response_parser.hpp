// Heads of HTTP/1.1 responses, read from upstreams we do not trust.
#pragma once

#include "http/head_limits.hpp"

#include <sluice/message.hpp>

#include <string_view>

namespace sluice::http {

// As parse_request_head(), with the method of the request this answers (HEAD has no body). Every refusal
// has status 502 and kind upstream_protocol; the connection must not be used again.
//
// Interim responses (1xx) are reported as done with their status and framing none: the caller loops over
// them and treats 101 as the switch, with `upgrade` set when the fields say so too. A reason phrase may be
// missing; nothing may precede the status line.
//
// body: none for HEAD, 1xx, 204 and 304, where content_length still tells what was declared; chunked; length;
// else until_close, and then keep_alive is false. Refused: Content-Length with Transfer-Encoding,
// differing or malformed Content-Length (the same one repeated as a field of its own is let pass),
// Transfer-Encoding other than exactly `chunked`, or in HTTP/1.0, status outside 100 to 599, and the
// lines that parse_request_head() refuses.
parsed parse_response_head(std::string_view bytes, std::size_t& scanned, const head_limits& limits,
                           std::string_view request_method, response_head& out);

}  // namespace sluice::http
