// Which fields end at this connection.
#pragma once

#include <sluice/message.hpp>

#include <string_view>

namespace sluice::http {

// Fields that speak about one connection and never pass: Connection, Keep-Alive, TE, Trailer, Transfer-Encoding,
// Upgrade, HTTP2-Settings and everything that begins with "Proxy-". Also those the gateway writes or answers
// itself: Content-Length (framing is always made anew) and Expect (100-continue is between the client and us).
bool is_hop_by_hop(std::string_view name);

// Removes them, and every field that Connection names.
void remove_hop_by_hop(header_list& headers);

// Removes every field that Connection names, and Connection itself: what is set from then on is not named by the
// client. Other fields of the connection stay, Upgrade among them.
void remove_nominated(header_list& headers);

}  // namespace sluice::http
