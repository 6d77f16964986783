// Writes heads of HTTP/1.1 messages. Framing is always made here, from what the caller says, and never taken
// over from fields that came in.
//
// Every writer appends to a string the caller recycles, and allocates nothing once that has grown. Nothing a
// caller passes can split a head: a header_list cannot hold CR or LF, and the bytes of targets and hosts that
// may not stand there are percent-encoded.
#pragma once

#include <sluice/message.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::http {

// `headers` are already filtered (see remove_hop_by_hop); Host, Connection, Content-Length and Transfer-Encoding
// among them are skipped, since they are written from the arguments. `method` is a token, `target` in origin
// form; an empty `host` writes an empty Host. body: length or chunked as said; none writes "Content-Length: 0"
// for POST, PUT and PATCH; until_close does not exist for requests and counts as chunked. `upgrade` is the
// protocol to switch to ("websocket"), empty for none.
void write_request_head(std::string& out, std::string_view method, std::string_view target, std::string_view host,
                        const header_list& headers, framing body, std::uint64_t content_length, bool keep_alive = true,
                        std::string_view upgrade = {});

// The status line, h.headers (Connection, Content-Length and Transfer-Encoding skipped) and the framing by h.body:
// - length, chunked: as said. A client of HTTP/1.0 knows no chunks: for it chunked is written as until_close, and
//   the body must then go out raw; framing_for() says so beforehand;
// - until_close: "Connection: close", whatever keep_alive says;
// - none: no body follows. 1xx, 204 and (unless content_length is set) 304 say nothing about it, any other
//   status writes content_length: 0, or what an answer to HEAD would have had.
// A 101 with h.upgrade writes "Connection: upgrade"; its Upgrade field is among the headers.
void write_response_head(std::string& out, const response_head& h, bool keep_alive, int client_minor_version);

// The framing that write_response_head() will really use.
constexpr framing framing_for(framing wanted, int client_minor_version) {
    return wanted == framing::chunked && client_minor_version == 0 ? framing::until_close : wanted;
}

// "Not Found"; "Unknown" for a status without a registered phrase.
std::string_view reason_phrase(int status);

}  // namespace sluice::http
