// host[:port], as Host, absolute targets and URLs have it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::http {

struct authority {
    std::string_view host;   // IPv6 literals without their brackets
    std::uint16_t port = 0;  // 0: none was written
    bool ipv6 = false;
};

// Stricter than RFC 3986 where leniency only serves confusion: a name holds letters, digits and "-._~" (no
// percent-escapes, no sub-delims, so no comma that two Host fields joined would leave), is not empty and at
// most 255 bytes long; an IPv6 literal must be one and has no zone; a port is 1 to 65535 and not empty; there
// is no userinfo. Texts like "127.1" are names here: what they resolve to is judged when connecting.
std::optional<authority> parse_authority(std::string_view text);

// host:port with an IPv6 literal in brackets, whether `host` has them already or not. Port 0: the host alone.
std::string write_authority(std::string_view host, std::uint16_t port);

// Appends in lower case.
void append_lower(std::string& out, std::string_view text);

}  // namespace sluice::http
