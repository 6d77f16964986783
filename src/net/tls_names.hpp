// The names a certificate is for, and how a host matches them (RFC 6125, 6.4).
#pragma once

#include <openssl/x509.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::net {

// DNS names of the subject alternative names, in lower case, and its addresses as text. Only when there are none: the
// common name. A name with an embedded NUL or other control character is left out.
std::vector<std::string> names_of(X509& certificate);

// Until when the certificate is valid.
std::chrono::system_clock::time_point not_after(const X509& certificate);

// "example.com", or "*.example.com" for exactly one further label. Both in lower case, no trailing dot.
bool name_matches(std::string_view pattern, std::string_view host);

// A host name as it is compared: lower case, without a trailing dot.
std::string comparable(std::string_view host);

}  // namespace sluice::net
