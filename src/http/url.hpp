// Absolute URLs from the configuration, key sets and metadata documents.
#pragma once

#include <sluice/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::http {

inline constexpr std::size_t url_bytes_max = 8 * 1024;

struct url {
    std::string scheme;  // http, https, ws or wss
    std::string host;    // lower case; IPv6 literals without their brackets
    std::uint16_t port = 0;
    std::string path_and_query;  // begins with '/'; as written, percent-encoded
    bool tls = false;            // https or wss

    // For the Host field: host, IPv6 in brackets, the port when it is not the scheme's own.
    std::string authority() const;
    // "https://api.example.com/v1": parse_url() of it is this again.
    std::string text() const;
};

// Strict: an absolute URL of one of the four schemes, in RFC 3986's characters; no userinfo, no fragment. The
// host is what parse_authority() takes. Error: bad_request whose message says what is wrong, without repeating
// the URL (it may hold a key).
result<url> parse_url(std::string_view text);

}  // namespace sluice::http
